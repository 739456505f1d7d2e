// npm start: reads the settings, starts the system, stops it when told to.

import { resolve } from 'node:path';
import { PLAYBACK } from '../core/access/playback-token.ts';
import { binariesFromEnv } from '../lambdas/binaries.ts';
import { choiceFromEnv } from '../lambdas/environment.ts';
import { startSystem } from './system.ts';

const env = process.env;
const apiKey = env['API_KEY'] ?? 'local';

try {
  const system = await startSystem({
    port: Number(env['PORT'] ?? 3000),
    dataDirectory: resolve(env['DATA_DIR'] ?? '.data'),
    apiKey,
    binaries: binariesFromEnv(),
    s3Endpoint: env['S3_ENDPOINT'],
    buckets: {
      uploads: env['UPLOADS_BUCKET'] ?? 'instant-hls-uploads',
      media: env['MEDIA_BUCKET'] ?? 'instant-hls-media',
    },
    playback: choiceFromEnv('PLAYBACK', PLAYBACK),
    rehearses: choiceFromEnv('REHEARSAL', ['on', 'off']) === 'on',
  });
  console.log(`API key: ${apiKey}`);
  console.log(`ready: ${system.baseUrl}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Whatever is under way is made again when it is next asked for; running encoders end with this process.
    process.once(signal, () => void system.stop().finally(() => process.exit(0)));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
