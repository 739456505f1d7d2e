// Whether a caller of the API holds its key. API Gateway asks before the calls that need it, and remembers the answer.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { APIGatewayRequestAuthorizerEventV2, APIGatewaySimpleAuthorizerResult } from 'aws-lambda';
import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { API_KEY_CACHED_SECONDS } from '../core/limits.ts';
import { requireEnv } from './environment.ts';

// Where it is kept as a secret it may be changed at any time; where it is given, it is given.
const key = process.env['API_KEY_SECRET_ARN']
  ? () => getSecret(requireEnv('API_KEY_SECRET_ARN'), { maxAge: API_KEY_CACHED_SECONDS })
  : () => Promise.resolve(requireEnv('API_KEY'));

export async function handler({
  headers,
}: Pick<APIGatewayRequestAuthorizerEventV2, 'headers'>): Promise<APIGatewaySimpleAuthorizerResult> {
  const given = /^Bearer (.+)$/.exec(headers?.['authorization'] ?? '')?.[1] ?? '';
  return { isAuthorized: same(given, String(await key())) };
}

/** Digests are of one length, so that comparing takes the same time for every guess. */
function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
