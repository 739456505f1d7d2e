// How the API makes playback tokens, from the environment: not at all, or with the secret in Secrets Manager.

import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { PLAYBACK, playbackToken } from '../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../core/access/playback-token.ts';
import type { SignPlayback } from '../pipeline/life/playback.ts';
import { choiceFromEnv, requireEnv } from './environment.ts';

/**
 * How long a copy of the secret is used. After one rotation an old copy does no harm, for what it signs with stays
 * valid until the next; only two in a row, which somebody starts to cut off all tokens, make it worthless. A minute is
 * what docs/operations.md tells them to wait; it costs a request to Secrets Manager a minute ($0.05 for 10,000).
 */
const MAX_AGE_SECONDS = 60;

/** Undefined where playback is public. */
export function signPlaybackFromEnvironment(): SignPlayback | undefined {
  if (choiceFromEnv('PLAYBACK', PLAYBACK) === 'public') return undefined;
  const arn = requireEnv('PLAYBACK_SECRET_ARN');
  return async (id, expiresAt) => {
    const options = { maxAge: MAX_AGE_SECONDS, transform: 'json', throwOnMissing: true } as const;
    return playbackToken(id, expiresAt, await getSecret<PlaybackSecrets, typeof options>(arn, options));
  };
}
