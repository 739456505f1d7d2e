// When the pictures of a source are shown: all of them where its container has an index of times, else those of a few
// stretches. The pictures themselves are not read for that, beyond those stretches.

import { run } from '../../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError, SourceError } from '../../core/errors.ts';
import type { SourceLimits } from '../../core/limits.ts';
import type { Box } from '../../core/source/mp4.ts';
import { sampleTimes, timescaleOf } from '../../core/source/mp4.ts';
import type { Probe, VideoStream } from '../../core/source/probe.ts';
import type { ListedPacket } from '../../core/source/seekability.ts';
import { MP4, stretchesOf } from '../../core/source/seekability.ts';
import { timesArguments } from '../../core/source/source-arguments.ts';
import { unlessUnreadable } from './breakdown.ts';
import { boxesBelow, openWindows } from './inspect-container.ts';
import type { BytesAt } from './inspect-container.ts';
import { looking } from './looking.ts';

/**
 * In seconds, in no order; none where they cannot be listed in time, though the source is read fast: what is claimed has to
 * do then. An index that is there is read or nothing is: by stretches the same source could get another rate.
 * @throws OutageError TIMED_OUT where the source is read slowly
 */
export async function pictureTimes(
  served: Pick<ServedSource, 'url' | 'watchSpeed' | 'failure'>,
  probe: Probe & { video: VideoStream },
  binaries: FfmpegBinaries,
  limits: SourceLimits,
): Promise<number[]> {
  const { url: sourceUrl, watchSpeed } = served;
  if (probe.format === MP4) {
    const times = await unlessUnreadable(served, async () => {
      const signal = AbortSignal.timeout(limits.probeTimeoutSeconds * 1000);
      return indexedTimes(sourceUrl, probe.video, signal).catch((error: unknown) => {
        throw signal.aborted ? new OutageError('TIMED_OUT', 'look at the index of times') : error;
      });
    }).catch((error: unknown) => {
      if (error instanceof SourceError) return undefined;
      throw error;
    });
    if (!times) return [];
    if (times.length > 1) return times;
  }
  const wasSlow = watchSpeed();
  const stretches = timesArguments(sourceUrl, probe.video.index, stretchesOf(probe));
  const look = looking('look at the times of pictures', limits);
  const listing = await run(binaries.ffprobePath, stretches, look).catch((error: unknown) => {
    const tookLong = error instanceof OutageError && error.code === 'TIMED_OUT' && !wasSlow();
    if (error instanceof FfmpegError || tookLong) return Buffer.from('{}');
    throw error;
  });
  const { packets = [] } = JSON.parse(listing.toString('utf8')) as { packets?: ListedPacket[] };
  return packets.flatMap(({ pts_time, flags }) =>
    pts_time === undefined || flags?.includes('D') ? [] : [Number(pts_time)],
  );
}

/** Eight bytes for a run of pictures, which where the rate varies may be each of them. */
const MOST_TABLE_BYTES = 8 * 1024 * 1024;

async function indexedTimes(
  sourceUrl: string,
  { index }: VideoStream,
  signal: AbortSignal,
): Promise<number[]> {
  const { bytesAt, sizeBytes } = await openWindows(sourceUrl, signal);
  const content = (box: Box | undefined) => box && contentOf(bytesAt, box);
  const file = { type: '', start: 0, end: sizeBytes };
  let place = 0;
  for await (const track of boxesBelow(bytesAt, file, ['moov', 'trak'])) {
    if (place === index) {
      const below = async (...path: string[]) => content(await firstOf(boxesBelow(bytesAt, track, path)));
      const timescale = timescaleOf((await below('mdia', 'mdhd')) ?? new Uint8Array());
      const stts = await below('mdia', 'minf', 'stbl', 'stts');
      if (!timescale || !stts) return [];
      const ctts = await below('mdia', 'minf', 'stbl', 'ctts');
      return sampleTimes(stts, ctts).map((time) => time / timescale);
    }
    place += 1;
  }
  return [];
}

/** A copy, as windows are read over each other. */
const contentOf = async (bytesAt: BytesAt, { start, end }: Box): Promise<Uint8Array> =>
  Uint8Array.from(await bytesAt(start, Math.min(end - start, MOST_TABLE_BYTES)));

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}
