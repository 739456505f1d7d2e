// CloudFront, or what speaks its protocol, as the CDN that the janitor has forget what it keeps.

import { randomUUID } from 'node:crypto';
import {
  CloudFrontServiceException,
  CreateInvalidationCommand,
  TooManyInvalidationsInProgress,
} from '@aws-sdk/client-cloudfront';
import type { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { OutageError } from '../core/errors.ts';
import type { Cdn } from '../pipeline/life/janitor.ts';

/** Resolves when CloudFront has taken it on; all edges have done it within minutes. */
export const cloudFrontCdn = (client: CloudFrontClient, distributionId: string): Cdn => ({
  async forget(prefix) {
    const command = new CreateInvalidationCommand({
      DistributionId: distributionId,
      InvalidationBatch: {
        CallerReference: randomUUID(),
        Paths: { Quantity: 1, Items: [`${prefix}*`] },
      },
    });
    try {
      await client.send(command);
      return true;
    } catch (error) {
      if (error instanceof TooManyInvalidationsInProgress || isThrottled(error)) return false;
      const message = `The CDN did not take an invalidation: ${(error as Error).message}`;
      throw new OutageError('STORE_UNAVAILABLE', message, { cause: error });
    }
  },
});

const isThrottled = (error: unknown): boolean =>
  error instanceof CloudFrontServiceException && error.name.startsWith('Throttling');
