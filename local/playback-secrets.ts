// With protected playback, what PlaybackTokens (lib/playback-tokens.ts) is in the cloud: secrets that are generated once,
// for the CDN to check tokens with and for the API, which reads them from Secrets Manager, to make them.

import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { PlaybackSecrets } from '../core/playback-token.ts';
import { keptSecret } from './kept-secret.ts';
import { secretsManager } from './secrets-manager.ts';
import type { WebServer } from './web-server.ts';

const ARN = 'arn:aws:secretsmanager:local:000000000000:secret:playback';

/** `environment` is what the API needs to reach them. Tokens given out before a restart stay good. */
export async function openPlaybackSecrets(
  web: WebServer,
  dataDirectory: string,
): Promise<{ secrets: PlaybackSecrets; environment: Record<string, string> }> {
  const secrets = await keptSecret<PlaybackSecrets>(join(dataDirectory, 'playback-secrets.json'), () => ({
    current: 'a',
    a: randomBytes(32).toString('hex'),
  }));
  // Here nobody checks signatures of requests: who is to know the secrets knows this path.
  const path = `/local/secrets-manager/${randomUUID()}`;
  web.route(path, secretsManager({ [ARN]: secrets }));
  return {
    secrets,
    environment: { PLAYBACK_SECRET_ARN: ARN, AWS_ENDPOINT_URL_SECRETS_MANAGER: `${web.baseUrl}${path}` },
  };
}
