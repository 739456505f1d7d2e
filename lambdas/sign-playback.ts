// How the API makes playback tokens, from the environment: not at all, or with the secret in Secrets Manager.

import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { PLAYBACK, playbackToken } from '../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../core/access/playback-token.ts';
import { SECRET_CACHED_SECONDS } from '../core/limits.ts';
import type { SignPlayback } from '../pipeline/life/playback.ts';
import { choiceFromEnv, requireEnv } from './environment.ts';

/** Undefined where playback is public. */
export function signPlaybackFromEnvironment(): SignPlayback | undefined {
  if (choiceFromEnv('PLAYBACK', PLAYBACK) === 'public') return undefined;
  const arn = requireEnv('PLAYBACK_SECRET_ARN');
  return async (id, expiresAt) => {
    const options = { maxAge: SECRET_CACHED_SECONDS, transform: 'json', throwOnMissing: true } as const;
    return playbackToken(id, expiresAt, await getSecret<PlaybackSecrets, typeof options>(arn, options));
  };
}
