// A video's whole life without a server: uploaded, ingested, prewarmed and finished, as the engines do it.

import { cardKey, newVideoId, sourceKey } from '../../core/keys.ts';
import type { Work } from '../../core/work.ts';
import { deriveWork } from '../../pipeline/derive.ts';
import { failVideo } from '../../pipeline/fail-video.ts';
import { finish } from '../../pipeline/finish.ts';
import { ingest } from '../../pipeline/ingest.ts';
import { getJson } from '../../pipeline/store.ts';
import { videoStatus } from '../../pipeline/video-status.ts';
import type { VideoStatus } from '../../pipeline/video-status.ts';
import { worldIn } from './world.ts';

export type TestWorld = ReturnType<typeof worldIn>;

/** A world with one video in it, whose upload is complete. */
export async function uploadedIn(
  temporaryDirectory: string,
  source: Uint8Array | string,
): Promise<{ id: string; world: TestWorld }> {
  const world = worldIn(temporaryDirectory);
  const id = newVideoId(new Date());
  const card = {
    filename: 'clip',
    contentType: 'video/mp4',
    sizeBytes: source.length,
    createdAt: new Date().toISOString(),
  };
  await world.media.put(cardKey(id), JSON.stringify(card), { contentType: 'application/json' });
  await world.uploads.put(sourceKey(id), source, { contentType: 'video/mp4' });
  return { id, world };
}

/** Brings it to `ready` or `failed`. What is neither the file's fault nor ffmpeg's is thrown. */
export async function lived({ id, world }: { id: string; world: TestWorld }): Promise<VideoStatus> {
  const lists: string[] = [];
  await ingest(id, world, async ({ workKey }) => void lists.push(workKey));
  for (const key of lists) {
    const list = (await getJson<Work[]>(world.media, key)) ?? [];
    const outcomes = [];
    for (const item of list) outcomes.push(await deriveWork(item, world).then(() => true, failed));
    await (outcomes.every(Boolean) ? finish(id, world, new Date()) : failVideo(id, world));
  }
  return videoStatus(id, world, () => 'https://cdn.example/');
}

function failed(error: unknown): boolean {
  const { name, message } = error as Error;
  if (name === 'FfmpegError' || name === 'SourceError' || message.startsWith('segment ')) return false;
  throw error;
}
