// The usual way: one ffmpeg command that makes the whole ladder from the whole file, after which one can play.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codecOf } from '../../core/formats/formats.ts';
import { valueOf } from '../../core/fraction.ts';
import { renditionsOf, trackOf } from '../../core/plan/plan.ts';
import type { Effort, Plan } from '../../core/plan/plan.ts';
import type { Rendition } from '../../core/plan/renditions.ts';
import { ffmpeg } from '../../test/support/media.ts';

/**
 * Encodes the whole ladder with our settings into HLS below `directory`.
 * @param effort as what is made ahead of time is encoded, or as what a viewer waits for
 * @param seconds limits it to the beginning of the source
 */
export async function encodeTheUsualWay(
  source: string,
  plan: Plan,
  directory: string,
  { effort, seconds }: { effort: Effort; seconds?: number },
): Promise<void> {
  const pictures = renditionsOf(plan, 'video');
  const sounds = renditionsOf(plan, 'audio');
  const { segmentFrames, frameRate } = plan.grid;
  const hls = (name: string) => [
    ...['-f', 'hls', '-hls_time', String(segmentFrames / valueOf(frameRate)), '-hls_list_size', '0'],
    join(directory, name, 'index.m3u8'),
  ];
  const encoder = (rendition: Rendition) =>
    codecOf(rendition).encoder(rendition, trackOf(plan, rendition), plan, effort);
  for (const { name } of plan.renditions) await mkdir(join(directory, name), { recursive: true });
  const labels = pictures.map((_, index) => `[s${index}]`).join('');
  const scales = pictures.map(
    ({ width, height }, index) => `[s${index}]scale=${width}:${height},format=yuv420p[v${index}]`,
  );
  await ffmpeg(
    ...(seconds === undefined ? [] : ['-t', String(seconds)]),
    ...['-i', source, '-filter_complex'],
    `[0:v]split=${pictures.length}${labels};${scales.join(';')}`,
    ...pictures.flatMap((picture, index) => [
      ...['-map', `[v${index}]`, ...encoder(picture)],
      ...hls(picture.name),
    ]),
    ...sounds.flatMap((sound) => [
      ...['-map', '0:a', '-ac', String(sound.channels), ...encoder(sound)],
      ...hls(sound.name),
    ]),
  );
}
