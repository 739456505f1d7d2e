// What upload tokens are made with, from the environment: a secret in Secrets Manager.

import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { requireEnv } from './environment.ts';

/** For so long a secret that was changed still makes, and takes, tokens. */
const MAX_AGE_SECONDS = 60;

export function uploadSecretFromEnvironment(): () => Promise<string> {
  const arn = requireEnv('UPLOAD_SECRET_ARN');
  return async () => {
    const options = { maxAge: MAX_AGE_SECONDS, throwOnMissing: true } as const;
    return getSecret<string, typeof options>(arn, options);
  };
}
