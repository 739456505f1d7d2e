// The secrets of this machine, each generated once as the cloud's are at a deployment, in a Secrets Manager for the
// functions to read them from.

import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Playback, PlaybackSecrets } from '../core/access/playback-token.ts';
import { keptSecret } from './kept-secret.ts';
import { secretsManager } from './secrets-manager.ts';
import type { WebServer } from './web-server.ts';

const ARN = 'arn:aws:secretsmanager:local:000000000000:secret:';

export interface Secrets {
  /** For the CDN to check playback tokens with; undefined where playback is public. */
  playback: PlaybackSecrets | undefined;
  /** What the functions need to reach them. Tokens given out before a restart stay good. */
  environment: Record<string, string>;
}

export async function openSecrets(
  web: WebServer,
  dataDirectory: string,
  { playback }: { playback: Playback },
): Promise<Secrets> {
  const random = () => randomBytes(32).toString('hex');
  const upload = await keptSecret(join(dataDirectory, 'upload-secret.json'), random);
  const videoIdKey = await keptSecret(join(dataDirectory, 'video-id-key.json'), random);
  const tokens =
    playback === 'token'
      ? await keptSecret<PlaybackSecrets>(join(dataDirectory, 'playback-secrets.json'), () => ({
          current: 'a',
          a: random(),
        }))
      : undefined;
  const arns = {
    UPLOAD_SECRET_ARN: `${ARN}upload`,
    VIDEO_ID_KEY_ARN: `${ARN}video-id-key`,
    PLAYBACK_SECRET_ARN: `${ARN}playback`,
  };
  // Here nobody checks signatures of requests: who is to know the secrets knows this path.
  const path = `/local/secrets-manager/${randomUUID()}`;
  web.route(
    path,
    secretsManager({
      [arns.UPLOAD_SECRET_ARN]: upload,
      [arns.VIDEO_ID_KEY_ARN]: videoIdKey,
      ...(tokens ? { [arns.PLAYBACK_SECRET_ARN]: tokens } : {}),
    }),
  );
  return {
    playback: tokens,
    environment: { ...arns, AWS_ENDPOINT_URL_SECRETS_MANAGER: `${web.baseUrl}${path}` },
  };
}
