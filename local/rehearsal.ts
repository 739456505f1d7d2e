// A short film is uploaded, planned and begun in a store of its own, and thrown away, as soon as the system runs. What a
// process does for the first time takes it a quarter longer: code is compiled, schemas are built. The first person who uploads
// something should not wait for that.

import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { s3Links } from '../adapters/s3-links.ts';
import { s3Store } from '../adapters/s3-store.ts';
import { cardKey, newVideoId, sourceKey } from '../core/artifacts/keys.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { CARD } from '../core/records/card.ts';
import { s3Client } from '../lambdas/buckets.ts';
import { run } from '../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../machine/ffmpeg.ts';
import { ingest } from '../pipeline/life/ingest.ts';
import { currentPlanOf, readyMarkerOf } from '../pipeline/revisions/revisions.ts';
import { createRecord } from '../pipeline/store.ts';
import type { World } from '../pipeline/world.ts';
import { ensureBuckets } from './buckets.ts';
import { DISK } from './s3/disk.ts';
import { openS3 } from './s3/server.ts';
import type { EmbeddedS3 } from './s3/server.ts';
import { openWebServer } from './web-server.ts';

const BUCKETS = { uploads: 'rehearsed-uploads', media: 'rehearsed-media' };
/** So that nothing to speak of is set aside for deletions. */
const SMALL_DISK = { ...DISK, room: () => ({ freeBytes: 64 * 1024 ** 2, totalBytes: 64 * 1024 ** 2 }) };
const LINK_SECONDS = 600;
/** Each time is a little faster than the one before. */
const TIMES = 3;

/**
 * @param directory is there, and empty; it is removed in the end
 * @param binaries for making the film
 * @param world all but its buckets is used
 * @throws whatever keeps the film from becoming ready
 */
export async function rehearse(directory: string, binaries: FfmpegBinaries, world: World): Promise<void> {
  const web = await openWebServer(0);
  const secretAccessKey = randomBytes(30).toString('base64url');
  const keyring = { accessKeyId: 'rehearsal', secretAccessKey, region: 'us-east-1' };
  let s3: EmbeddedS3 | undefined;
  let client: S3Client | undefined;
  try {
    s3 = await openS3({ directory: join(directory, 's3'), keyring, disk: SMALL_DISK });
    for (const bucket of Object.values(BUCKETS)) web.route(`/${bucket}`, s3.handle);
    const { region } = keyring;
    client = s3Client({ endpoint: web.baseUrl, forcePathStyle: true, region, credentials: keyring });
    await ensureBuckets(client, BUCKETS);
    const stage: World = {
      ...world,
      uploads: s3Store(client, BUCKETS.uploads, s3Links(client, BUCKETS.uploads, LINK_SECONDS)),
      media: s3Store(client, BUCKETS.media, s3Links(client, BUCKETS.media, LINK_SECONDS)),
      settings: {
        ...world.settings,
        ...{ prewarm: 'none', maxDurationSeconds: DEFAULT_LIMITS.maxDurationSeconds },
      },
      observe: () => undefined,
    };
    const film = await shortFilm(binaries, directory);
    for (let time = 0; time < TIMES; time += 1) await play(film, stage);
  } finally {
    client?.destroy();
    web.close();
    await s3?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** With nothing to be made ahead of time, whatever is made is made as for a viewer. */
async function play(film: Uint8Array, stage: World): Promise<void> {
  const now = new Date();
  const id = newVideoId(now);
  await createRecord(stage.media, CARD, cardKey(id), {
    maxBytes: film.length,
    createdAt: now.toISOString(),
  });
  await stage.uploads.put(sourceKey(id), film, { contentType: 'video/mp4' });
  await ingest(id, stage, () => Promise.resolve());
  const plan = await currentPlanOf(id, stage.media);
  if (!plan || !(await readyMarkerOf(id, plan.rev, stage.media)))
    throw new Error('The film did not become ready.');
}

async function shortFilm({ ffmpegPath }: FfmpegBinaries, directory: string): Promise<Uint8Array> {
  const path = join(directory, 'film.mp4');
  const inputs = [
    ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=2'],
    ['-f', 'lavfi', '-i', 'sine=440:d=2'],
  ].flat();
  const codecs = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac'.split(' ');
  await run(ffmpegPath, ['-v', 'error', '-nostdin', '-y', ...inputs, ...codecs, path], {
    ...{ task: 'film to rehearse with', line: 'background', timeoutSeconds: 60 },
    ...{ maxFileBytes: 16 * 1024 ** 2, maxMemoryBytes: DEFAULT_LIMITS.encodeMemoryBytes },
  });
  return readFile(path);
}
