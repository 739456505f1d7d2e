// When the packets of a track are shown, counted as they pass: enough to tell what a copy of the track lacks, whatever the
// length of the film, without keeping a packet.

import { DEFAULT_LIMITS } from '../limits.ts';

export interface PacketTimes {
  /** @param seconds when it is shown; undefined where nothing says so */
  add(seconds: number | undefined): void;
  counted(): CountedPackets;
}

export interface CountedPackets {
  packets: number;
  /** Infinity and -Infinity where no packet has a time. */
  firstSeconds: number;
  lastSeconds: number;
  /** Whether times jump by more than a gap in a film does, so that they are no time line. */
  jumps: boolean;
  /** Whether a few of them jump to elsewhere and back: another clock stays for longer. */
  strays: boolean;
  /** Packets by the twentieth of a second in which they are shown, from `firstBin` on. */
  firstBin: number;
  bins: Uint32Array;
}

const BINS_PER_SECOND = 20;
/** Pictures that are decoded first may be shown after others, and sound may begin before the picture. */
const BINS_BEFORE_FIRST = 10 * BINS_PER_SECOND;
/** As long as a video may be where nothing else is set. Of what is later no time is counted: two packets may say that they are years apart. */
const MOST_BINS = BINS_BEFORE_FIRST + DEFAULT_LIMITS.maxDurationSeconds * BINS_PER_SECOND;
const FIRST_BINS = 1024;
/** ffmpeg, too, takes a greater distance in a broadcast for another clock, and goes on as if there were none. */
const JUMP_SECONDS = 10;
/** Packets with a wrong time, one after the other. */
const MOST_STRAYING = 5;

export function packetTimes(): PacketTimes {
  let [packets, jumps, strays] = [0, false, false];
  let [beforeJump, sinceJump] = [NaN, 0];
  let [firstSeconds, lastSeconds, latest] = [Infinity, -Infinity, NaN];
  let [firstBin, usedBins] = [0, 0];
  let bins = new Uint32Array(FIRST_BINS);
  return {
    add(seconds) {
      packets += 1;
      if (seconds === undefined) return;
      sinceJump += 1;
      if (Math.abs(seconds - latest) > JUMP_SECONDS) {
        jumps = true;
        // A broadcast may come back to a clock after a minute of another one, with advertisements.
        if (Math.abs(seconds - beforeJump) <= JUMP_SECONDS && sinceJump <= MOST_STRAYING) strays = true;
        [beforeJump, sinceJump] = [latest, 0];
      }
      latest = seconds;
      const bin = Math.floor(seconds * BINS_PER_SECOND);
      if (firstSeconds === Infinity) firstBin = bin - BINS_BEFORE_FIRST;
      firstSeconds = Math.min(firstSeconds, seconds);
      lastSeconds = Math.max(lastSeconds, seconds);
      const index = bin - firstBin;
      if (!(index >= 0 && index < MOST_BINS)) return;
      if (index >= bins.length) {
        const grown = new Uint32Array(Math.min(MOST_BINS, Math.max(2 * bins.length, index + 1)));
        grown.set(bins);
        bins = grown;
      }
      usedBins = Math.max(usedBins, index + 1);
      bins[index]! += 1;
    },
    counted: () => ({
      ...{ packets, firstSeconds, lastSeconds, jumps, strays, firstBin },
      bins: bins.subarray(0, usedBins),
    }),
  };
}

/** What a copy of a track lacks. */
export interface Loss {
  /** Pictures that were copied one by one; of what was decoded or cut otherwise, packets tell nothing. */
  packets: number;
  /** Fifths of a second of sound of which nothing came over, and of pictures less than a quarter. */
  seconds: number;
  /** Whether those are all at the end. */
  isAtEnd: boolean;
  /** Whether there is something of the copy before and after some of them. */
  isWithin: boolean;
}

/** No longer than a stop that a viewer sees. */
const WINDOW_BINS = BINS_PER_SECOND / 5;
/** Times are rounded, and decoders and encoders move them by some thousandths. */
const TOLERANCE_BINS = 1;
const LEAST_GAIN_SECONDS = 0.5;
/** A decoder makes one picture of two fields. */
const LEAST_SHARE_OF_PICTURES = 0.25;

/**
 * @param shiftSeconds by which a copy's times are probably earlier than the source's; others that the two suggest are
 *   tried as well, as nothing but a common beginning is promised
 * @param kind packets of sound are no measure: each demuxer, and each encoder, cuts them as it likes
 * @param countsPackets whether each packet of the source has to be one of the copy
 */
export function lossOf(
  source: CountedPackets,
  copy: CountedPackets,
  {
    shiftSeconds,
    kind,
    countsPackets,
  }: { shiftSeconds: number; kind: 'video' | 'audio'; countsPackets: boolean },
): Loss {
  const packets = countsPackets ? Math.max(0, source.packets - copy.packets) : 0;
  const nothing = { seconds: 0, isAtEnd: false, isWithin: false };
  if (source.packets === 0) return { packets: 0, ...nothing };
  if (copy.packets === 0) return { packets, seconds: spanOf(source), isAtEnd: true, isWithin: false };
  if (source.jumps || source.firstSeconds === Infinity) return { packets, ...nothing };
  const share = kind === 'video' ? LEAST_SHARE_OF_PICTURES : 0;
  const missing = (shift: number) => missingAt(source, copy, Math.round(shift * BINS_PER_SECOND), share);
  const byFirst = missing(source.firstSeconds - copy.firstSeconds);
  // The whole clock may be another one, and nothing be missing.
  if (byFirst.seconds === 0) return { packets, ...byFirst };
  const byShift = [missing(shiftSeconds), byFirst, missing(source.lastSeconds - copy.lastSeconds)];
  // A film that lacks its end would fit as well if it lacked its beginning: the likelier shift comes first.
  const least = byShift.reduce((best, next) =>
    next.seconds < best.seconds - LEAST_GAIN_SECONDS ? next : best,
  );
  return { packets, ...least, seconds: Math.min(least.seconds, spanOf(source)) };
}

const spanOf = ({ firstSeconds, lastSeconds }: CountedPackets): number =>
  Math.max(1 / BINS_PER_SECOND, lastSeconds - firstSeconds);

function missingAt(
  source: CountedPackets,
  copy: CountedPackets,
  shiftBins: number,
  leastShare: number,
): Omit<Loss, 'packets'> {
  let [missing, sinceLast, before, windows] = [0, 0, 0, 0];
  const toCopy = source.firstBin - shiftBins - copy.firstBin;
  for (let from = 0; from < source.bins.length; from += WINDOW_BINS) {
    const wanted = sumOf(source.bins, from, from + WINDOW_BINS);
    if (wanted === 0) continue;
    const at = from + toCopy;
    // Nobody counted there.
    if (at + WINDOW_BINS > MOST_BINS) break;
    const found = sumOf(copy.bins, at - TOLERANCE_BINS, at + WINDOW_BINS + TOLERANCE_BINS);
    const isMissing = found <= wanted * leastShare && found < wanted;
    if (isMissing && missing === windows) before += 1;
    windows += 1;
    if (isMissing) missing += 1;
    sinceLast = isMissing ? sinceLast + 1 : 0;
  }
  return {
    seconds: (missing * WINDOW_BINS) / BINS_PER_SECOND,
    isAtEnd: missing > 0 && sinceLast === missing,
    isWithin: missing > before + sinceLast,
  };
}

function sumOf(bins: Uint32Array, from: number, to: number): number {
  let sum = 0;
  for (let index = Math.max(0, from); index < Math.min(bins.length, to); index += 1) sum += bins[index]!;
  return sum;
}
