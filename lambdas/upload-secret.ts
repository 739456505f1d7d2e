// What upload tokens are made with, from the environment: a secret in Secrets Manager.

import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { SECRET_CACHED_SECONDS } from '../core/limits.ts';
import { requireEnv } from './environment.ts';

export function uploadSecretFromEnvironment(): () => Promise<string> {
  const arn = requireEnv('UPLOAD_SECRET_ARN');
  return async () => {
    const options = { maxAge: SECRET_CACHED_SECONDS, throwOnMissing: true } as const;
    return getSecret<string, typeof options>(arn, options);
  };
}
