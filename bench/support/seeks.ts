// Seeks to places that nobody has encoded, as viewers make them.

import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { expectUnmade, fetchSegments } from './as-a-player.ts';
import type { FirstStream } from './as-a-player.ts';

/** In seconds: until there is something to show, and until a player that goes on has a few seconds of it. */
export interface Seek {
  first: number;
  enough: number;
}

/** @param segments that are enough */
export async function seek(
  media: S3Client,
  stream: FirstStream,
  index: number,
  segments: number,
): Promise<Seek> {
  for (let offset = 0; offset < segments; offset += 1) await expectUnmade(media, stream, index + offset);
  return fetchFrom(stream, index, segments);
}

/** The first segments of picture and sound, then the next ones. */
export async function fetchFrom(stream: FirstStream, index: number, segments: number): Promise<Seek> {
  const begun = performance.now();
  await fetchSegments(stream, index);
  const first = secondsSince(begun);
  for (let offset = 1; offset < segments; offset += 1) await fetchSegments(stream, index + offset);
  return { first, enough: secondsSince(begun) };
}

/**
 * One after the other, each given up for the next as players do.
 * @returns seconds from the last one to its picture and sound
 */
export async function seekAround(
  media: S3Client,
  stream: FirstStream,
  indexes: readonly number[],
  everyMs: number,
): Promise<number> {
  for (const index of indexes) await expectUnmade(media, stream, index);
  await giveUpSeeks(stream, indexes.slice(0, -1), everyMs);
  const begun = performance.now();
  await fetchSegments(stream, indexes.at(-1)!);
  return secondsSince(begun);
}

export async function giveUpSeeks(
  stream: FirstStream,
  indexes: readonly number[],
  everyMs: number,
): Promise<void> {
  for (const index of indexes) {
    const leave = new AbortController();
    fetchSegments(stream, index, leave.signal).catch(() => undefined); // nobody waits for it
    await sleep(everyMs);
    leave.abort();
  }
}

const secondsSince = (begun: number): number => (performance.now() - begun) / 1000;
