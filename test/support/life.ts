// A video's whole life without a server: uploaded, ingested, prewarmed and finished, as a worker does it.

import { cardKey, newVideoId, sourceKey, workKey } from '../../core/artifacts/keys.ts';
import { CARD } from '../../core/records/card.ts';
import type { Card } from '../../core/records/card.ts';
import { WORK } from '../../core/records/work.ts';
import type { Work } from '../../core/records/work.ts';
import { deriveWork } from '../../pipeline/derive/derive.ts';
import { failVideo } from '../../pipeline/life/fail-video.ts';
import { finish } from '../../pipeline/life/finish.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import type { NewList } from '../../core/work/admission.ts';
import { videoStatus } from '../../pipeline/life/video-status.ts';
import type { VideoStatus } from '../../pipeline/life/video-status.ts';
import { worldIn } from './world.ts';
import type { TestWorld } from './world.ts';

export type { TestWorld } from './world.ts';

/** A world with one video in it, whose upload is complete. */
export async function uploadedIn(
  temporaryDirectory: string,
  source: Uint8Array | string,
): Promise<{ id: string; world: TestWorld }> {
  const world = worldIn(temporaryDirectory);
  const id = newVideoId(new Date());
  await putCard(id, world, { filename: 'clip', contentType: 'video/mp4', sizeBytes: source.length });
  await world.uploads.put(sourceKey(id), source, { contentType: 'video/mp4' });
  return { id, world };
}

/** Brings it to `ready` or `failed`. What is neither the file's fault nor ffmpeg's is thrown. */
export async function lived({ id, world }: { id: string; world: TestWorld }): Promise<VideoStatus> {
  const requests: NewList[] = [];
  await ingest(id, world, async (request) => void requests.push(request));
  for (const request of requests) await executed(request, world);
  return videoStatus(id, world, () => 'https://cdn.example/');
}

/** Works off a list as a worker does. */
export async function executed({ id, rev }: NewList, world: TestWorld): Promise<void> {
  const outcomes = [];
  for (const item of await workIn({ id, rev }, world)) {
    outcomes.push(await deriveWork(item, world).then(() => true, failed));
  }
  await (outcomes.every(Boolean)
    ? finish(id, rev, world, new Date())
    : failVideo(id, rev, 'ENCODING_FAILED', world, new Date()));
}

export async function workIn(
  { id, rev }: Pick<NewList, 'id' | 'rev'>,
  { media }: TestWorld,
): Promise<Work[]> {
  const key = workKey(id, rev);
  const stored = JSON.parse(Buffer.from((await media.get(key))!).toString()) as unknown[];
  return stored.map((item) => WORK.parse(item, key));
}

export async function putCard(id: string, { media }: TestWorld, card: Partial<Card> = {}): Promise<void> {
  const whole = { maxBytes: 1e9, createdAt: new Date().toISOString(), ...card };
  await media.put(cardKey(id), JSON.stringify(CARD.stored(whole)), { contentType: 'application/json' });
}

function failed(error: unknown): boolean {
  const { name, message } = error as Error;
  if (name === 'FfmpegError' || name === 'SourceError' || message.startsWith('segment ')) return false;
  throw error;
}
