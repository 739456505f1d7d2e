// A secret in Secrets Manager whose ARN is in the environment: what upload tokens are made with, or ids of videos.

import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { SECRET_CACHED_SECONDS } from '../core/limits.ts';
import { requireEnv } from './environment.ts';

/** @param name of the environment variable with the ARN */
export function secretFromEnvironment(name: string): () => Promise<string> {
  const arn = requireEnv(name);
  return async () => {
    const options = { maxAge: SECRET_CACHED_SECONDS, throwOnMissing: true } as const;
    return getSecret<string, typeof options>(arn, options);
  };
}
