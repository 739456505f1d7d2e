// The usual way: one ffmpeg command that makes the whole ladder from the whole file, after which one can play.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { renditionsOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { valueOf } from '../../core/fraction.ts';
import { ffmpeg } from '../../test/support/media.ts';

/** Encodes with our settings into HLS below `directory`; `seconds` limits it to the beginning of the source. */
export async function encodeTheUsualWay(
  source: string,
  plan: Plan,
  directory: string,
  seconds?: number,
): Promise<void> {
  const renditions = renditionsOf(plan, 'video');
  const { gopFrames, segmentFrames, frameRate } = plan.grid;
  const labels = renditions.map((_, index) => `[s${index}]`).join('');
  const scales = renditions.map(
    ({ width, height }, index) => `[s${index}]scale=${width}:${height},format=yuv420p[v${index}]`,
  );
  const hls = (name: string) => [
    ...['-f', 'hls', '-hls_time', String(segmentFrames / valueOf(frameRate)), '-hls_list_size', '0'],
    join(directory, name, 'index.m3u8'),
  ];
  const names = [...renditions.map(({ name }) => name), 'audio'];
  for (const name of names) await mkdir(join(directory, name), { recursive: true });
  await ffmpeg(
    ...(seconds === undefined ? [] : ['-t', String(seconds)]),
    ...['-i', source, '-filter_complex'],
    `[0:v]split=${renditions.length}${labels};${scales.join(';')}`,
    ...renditions.flatMap(({ name, level, maxBitrateBps }, index) => [
      ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high'],
      ...[
        '-level',
        level,
        '-crf',
        '23',
        '-maxrate',
        String(maxBitrateBps),
        '-bufsize',
        String(maxBitrateBps),
      ],
      ...['-g', String(gopFrames), '-keyint_min', String(gopFrames), '-sc_threshold', '0'],
      ...hls(name),
    ]),
    ...[
      '-map',
      '0:a',
      '-c:a',
      'aac',
      '-b:a',
      String(renditionsOf(plan, 'audio')[0]!.bitrateBps),
      ...hls('audio'),
    ],
  );
}
