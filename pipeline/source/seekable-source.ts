// Whether segments can be cut from a source as it is: by looking at its end. Where that disappoints it has to be copied first.

import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { run } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { FfmpegError, OutageError } from '../../core/errors.ts';
import { countedRate, isDoubtful, neededFrameRate } from '../../core/source/frame-rate.ts';
import { GIF, holdsPicture } from '../../core/source/gif.ts';
import type { SourceLimits } from '../../core/limits.ts';
import { earlyEnds } from '../../core/source/early-end.ts';
import type { PlannedSource } from '../../core/plan/plan.ts';
import type { Probe } from '../../core/source/probe.ts';
import {
  corrected,
  lookBackSeconds,
  lookRange,
  measured,
  rateAtEnd,
  reasonByLook,
  reasonByProbe,
  seemingShort,
} from '../../core/source/seekability.ts';
import type { ListedPacket, Look } from '../../core/source/seekability.ts';
import { lookArguments, soundPacketArguments } from '../../core/source/source-arguments.ts';
import { unlessUnreadable } from './breakdown.ts';
import { openWindows } from './inspect-container.ts';
import { looking } from './looking.ts';
import { pictureTimes } from './picture-times.ts';
import type { CopyNeed } from '../sandbox/sandbox.ts';
import type { SandboxWorld } from '../world.ts';

/**
 * The source to cut segments from, and the probe of that: lengths are those found, not those claimed. Or why it has to be
 * copied.
 * @throws SourceError; OutageError TIMED_OUT where the look took too long and the source is too large for a copy
 */
export async function seekableSource(
  served: ServedSource,
  { probe: claimed, sizeBytes, etag }: { probe: Probe; sizeBytes: number; etag: string },
  world: SandboxWorld,
): Promise<{ probe: Probe; source: PlannedSource } | CopyNeed> {
  const look = reasonByProbe(claimed)
    ? undefined
    : await unlessUnreadable(served, () => lookAtEnd(served, claimed, world));
  const probe = look && claimed.format === GIF ? measured(claimed, look) : claimed;
  const reason = reasonByProbe(probe) ?? reasonByLook(probe, look!, sizeBytes);
  if (!reason) {
    const keyframeSeconds = lookBackSeconds(look!, probe);
    const counted = await withCountedRate(served, probe, look!, world);
    const found = await withoutEmptySound(served, corrected(counted, look!), look!, world);
    const notices = [...found.notices, ...earlyEnds(probe, found, false)];
    return { probe: { ...found, notices }, source: { kind: 'upload', sizeBytes, etag, keyframeSeconds } };
  }
  // That a look took long is no reason to refuse what is too large for a copy: another may be faster.
  if (look?.tookLong && sizeBytes > world.settings.maxCopiedBytes)
    throw new OutageError('TIMED_OUT', "look at the source's end");
  return { probe, reason };
}

/** A microphone that was off leaves a track without a packet: nothing is missing where that is left out. */
async function withoutEmptySound(
  served: ServedSource,
  probe: Probe,
  { packets }: Look,
  world: SandboxWorld,
): Promise<Probe> {
  const { video, audio, furtherAudio } = probe;
  if (!video || !audio || packets.some(({ stream_index }) => stream_index === audio.index)) return probe;
  const sounds = [audio, ...furtherAudio];
  const filled = await filledTracks(served, audio.index, world);
  const place = filled ? sounds.findIndex(({ index }) => filled.has(index)) : 0;
  if (place === 0) return probe;
  return { ...probe, audio: sounds[place], furtherAudio: place < 0 ? [] : furtherAudio.slice(place) };
}

/**
 * The tracks of sound that have packets, found in one pass, which ends where one of the wanted track is met: what else
 * there is does not matter then. Undefined where that cannot be told in time.
 */
async function filledTracks(
  { url, failure }: ServedSource,
  wanted: number,
  { tools, settings }: SandboxWorld,
): Promise<ReadonlySet<number> | undefined> {
  const filled = new Set<number>();
  const found = new Error('found');
  const isWhole = await run(tools.binaries.ffprobePath, soundPacketArguments(url), {
    ...looking('search for tracks without a packet', settings),
    output: async (stdout: Readable) => {
      for await (const line of createInterface({ input: stdout })) {
        if (line !== '') filled.add(Number.parseInt(line, 10));
        if (filled.has(wanted)) throw found;
      }
    },
  }).then(
    () => true,
    (error: unknown) => {
      if (error === found) return true;
      const isUnknown = error instanceof FfmpegError || (error as OutageError).code === 'TIMED_OUT';
      if (isUnknown && !failure()) return false;
      throw error;
    },
  );
  if (failure()) throw failure();
  return isWhole ? filled : undefined;
}

/** Counts pictures where the rate varies, or where those at the end come at another rate than was claimed. */
async function withCountedRate(
  served: ServedSource,
  probe: Probe,
  look: Look,
  { tools, settings }: SandboxWorld,
): Promise<Probe> {
  const { video } = probe;
  if (!video || !isDoubtful(video, rateAtEnd(probe, look))) return probe;
  const times = await pictureTimes(served, { ...probe, video }, tools.binaries, settings);
  if (served.failure()) throw served.failure();
  return { ...probe, video: { ...video, countedFrameRate: neededFrameRate(video, countedRate(times)) } };
}

async function lookAtEnd(
  served: ServedSource,
  probe: Probe,
  { tools, settings }: SandboxWorld,
): Promise<Look> {
  const wasSlow = served.watchSpeed();
  const tookLong = (error: unknown) =>
    error instanceof OutageError && error.code === 'TIMED_OUT' && !wasSlow();
  const range = lookRange(probe);
  const before = served.readBytes();
  const look = looking("look at the source's end", settings);
  let hasTakenLong = false;
  const listed = async (streamIndex?: number): Promise<ListedPacket[]> => {
    const command = lookArguments(served.url, range, streamIndex);
    const listing = await run(tools.binaries.ffprobePath, command, look).catch((error: unknown) => {
      // What cannot be listed, or not in time, has no index that one could rely on.
      hasTakenLong ||= tookLong(error);
      const isOfSource = error instanceof FfmpegError ? error.signal === undefined : hasTakenLong;
      if (isOfSource && !served.failure()) return Buffer.from('{}');
      throw error;
    });
    // Cut short, the list would say that the source is.
    if (served.failure()) throw served.failure();
    return (JSON.parse(listing.toString('utf8')) as { packets?: ListedPacket[] }).packets ?? [];
  };
  let packets = await listed();
  const bytesRead = served.readBytes() - before;
  for (const index of seemingShort({ range, packets, bytesRead }, probe)) {
    const own = await listed(index);
    const known = packets.filter(({ stream_index }) => stream_index === index);
    if (own.length > known.length)
      packets = [...packets.filter(({ stream_index }) => stream_index !== index), ...own];
  }
  const shown = probe.format === GIF ? await withoutEmptyEnd(served, packets, settings) : packets;
  return { range, packets: shown, bytesRead, tookLong: hasTakenLong };
}

/** A GIF's packets but the last, where that holds no picture. */
async function withoutEmptyEnd(
  { url }: ServedSource,
  packets: ListedPacket[],
  { probeTimeoutSeconds }: Pick<SourceLimits, 'probeTimeoutSeconds'>,
): Promise<ListedPacket[]> {
  const last = packets.at(-1);
  if (last?.pos === undefined || packets.length < 2) return packets;
  const { bytesAt } = await openWindows(url, AbortSignal.timeout(probeTimeoutSeconds * 1000));
  return holdsPicture(await bytesAt(Number(last.pos), Number(last.size))) ? packets : packets.slice(0, -1);
}
