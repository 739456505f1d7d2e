// CloudFront's API, as far as functions call it: invalidations. Source: AWS, "CreateInvalidation".

import { text } from 'node:stream/consumers';
import { listening } from './listening.ts';
import type { Listening } from './listening.ts';
import { sessionOf } from './permissions.ts';
import { ServiceError } from './state-machine.ts';

const PATH = /^\/2020-05-31\/distribution\/(\w+)\/invalidation$/;

/** @param invalidate what it throws becomes the answer */
export const serveCloudFront = (
  invalidate: (distributionId: string, paths: string[], session: string | undefined) => void,
): Promise<Listening> =>
  listening((request, response) => {
    void (async () => {
      const [, distributionId] = PATH.exec(request.url!) ?? [];
      const paths = [...(await text(request)).matchAll(/<Path>(.*?)<\/Path>/g)].map(([, path]) => path!);
      try {
        if (!distributionId) throw new ServiceError('InvalidArgument', request.url!);
        invalidate(distributionId, paths, sessionOf(request));
        response.writeHead(201, { 'content-type': 'text/xml' });
        response.end('<Invalidation><Id>I2J0I21PCUYOIK</Id><Status>InProgress</Status></Invalidation>');
      } catch (error) {
        const { name, message } = error as Error;
        response.writeHead(name === 'AccessDenied' ? 403 : 400, { 'content-type': 'text/xml' });
        response.end(
          `<ErrorResponse><Error><Code>${name}</Code><Message>${message}</Message></Error></ErrorResponse>`,
        );
      }
    })();
  });
