// Compares one rendition of all takes: the time of every frame, pictures and sound, how the segments are built, and whether
// segments of different makers mix.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adtsFrames } from '../../core/formats/adts.ts';
import { ffprobe } from '../../test/support/media.ts';
import { pictures } from '../../test/support/stream.ts';
import { decibels, fact, finding, milliseconds } from './findings.ts';
import type { Finding } from './findings.ts';
import { heardIn, leastPictureRatio, leastSoundRatio, looksOf } from './likeness.ts';
import type { Heard, Looks } from './likeness.ts';
import { WAYS, nameOf } from './takes.ts';
import type { Take, TakenRendition, Way } from './takes.ts';
import { bordersRunOn, clockSpacing, transportSegment } from './transport-segment.ts';
import type { Spacing, TransportSegment } from './transport-segment.ts';

export interface RenditionResult {
  findings: Finding[];
  segments: number;
  frames: number;
  worstTimeMs: number;
  /** Of pictures or sound, whichever it is. */
  leastRatio: number;
  /** Of this checkout's segments; undefined for sound, which has no clock references. */
  largestClockMs: Record<Way, number> | undefined;
}

// Encoders differ a little from run to run and from version to version: x264 with its rate capped is not the same twice.
// Measured on the pictures of our own sources: 50 dB and more from one run to the next, 53 dB at another quality, but 33 dB
// where 60 pictures a second are shown one too late.
const LEAST_PICTURE_RATIO = 40;
/** A tone of 440 Hz that is one sample late is 25 dB off. */
const LEAST_SOUND_RATIO = 30;
/** ISO/IEC 13818-1, section 2.7.2. */
const MOST_CLOCK_DISTANCE_MS = 100;

/** @param reference the take whose frames and times the others must have. */
export async function compareRendition(
  name: string,
  takes: readonly Take[],
  reference: Take,
  directory: string,
): Promise<RenditionResult> {
  const looked = new Map<Take, Looked>();
  for (const take of takes) {
    const path = join(directory, `${nameOf(take)}.${take.renditions.get(name)!.kind}`);
    looked.set(take, await look(take.renditions.get(name)!, path));
  }
  const all = [...looked.values()];
  const expected = looked.get(reference)!;
  const inTakes = [...looked].map(([take, own]) => ({ take, own }));
  const worstTimeMs = Math.max(...all.map((own) => timeDifferenceMs(own.times, expected.times)));
  const pairs = WAYS.map((way) => all.filter((_, index) => takes[index]!.way === way) as [Looked, Looked]);
  const ratios = pairs.map(([a, b]) => ratioOf(a, b));
  const leastRatio = Math.min(...ratios);
  const equal = pairs.map(
    ([a, b]) => a.streams.filter((stream, index) => b.streams[index]?.equals(stream)).length,
  );
  const segments = expected.times.length;
  const frames = expected.times.flat().length;
  const isSound = expected.heard !== undefined;
  const limit = isSound ? LEAST_SOUND_RATIO : LEAST_PICTURE_RATIO;
  const findings = [
    finding(
      `${name}: codec, size and colours`,
      inTakes
        .filter(({ own }) => own.description !== expected.description)
        .map(({ take, own }) => `${nameOf(take)} is ${own.description}, not ${expected.description}`),
    ),
    finding(
      `${name}: times`,
      inTakes.flatMap(({ take, own }) => timeProblems(nameOf(take), own.times, expected.times)),
      `${frames} frames in ${segments} segments are shown at the same times`,
    ),
    finding(
      `${name}: decoded alone`,
      inTakes.flatMap(({ take, own }) => decodingProblems(nameOf(take), own)),
      'every frame, without a warning',
    ),
    finding(
      `${name}: ${isSound ? 'sound, least SNR' : 'pictures, least PSNR'}`,
      leastRatio < limit ? [`${decibels(leastRatio)}, wanted ${decibels(limit)}`] : [],
      `${decibels(leastRatio)}; streams equal byte by byte: ${equal.map((count) => `${count} of ${segments}`).join(', ')}`,
    ),
    ...inTakes.flatMap(({ take, own }) => (own.packets ? [structureFinding(name, take, own.packets)] : [])),
    ...(await mixtureFindings(name, inTakes, expected, directory)),
  ];
  const clockOf = (way: Way): number => {
    const take = takes.find(({ checkout, way: own }) => checkout === 'this' && own === way)!;
    return largest(clockSpacing(looked.get(take)!.packets!));
  };
  return {
    findings,
    segments,
    frames,
    worstTimeMs,
    leastRatio,
    largestClockMs: isSound
      ? undefined
      : { prewarmed: clockOf('prewarmed'), 'on demand': clockOf('on demand') },
  };
}

/** A rendition, taken apart and decoded. */
interface Looked {
  rendition: TakenRendition;
  /** When each frame of each segment is shown or heard, in order, in units of 1/90000 s. */
  times: number[][];
  /** Each segment's H.264 or AAC, without what it is packed into. */
  streams: Buffer[];
  packets?: TransportSegment[];
  looks?: Looks;
  heard?: Heard;
  framesDecoded: number;
  complaints: string;
  description: string;
}

async function look(rendition: TakenRendition, path: string): Promise<Looked> {
  if (rendition.kind === 'aac') return lookAtSound(rendition, path);
  const packets = rendition.segments.map(transportSegment);
  await writeFile(path, Buffer.concat(rendition.segments));
  const looks = await looksOf(path);
  return {
    ...{ rendition, packets, looks, framesDecoded: looks.count, complaints: looks.complaints },
    times: packets.map((segment) => segment.pictures.map(({ pts }) => pts).sort((a, b) => a - b)),
    streams: packets.map(({ elementary }) => elementary),
    description: await describe(path),
  };
}

async function lookAtSound(rendition: TakenRendition, path: string): Promise<Looked> {
  const packed = rendition.segments.map(packedAudio);
  const streams = packed.map(({ frames }) => Buffer.concat(frames));
  await writeFile(path, Buffer.concat(streams));
  const heard = await heardIn(path);
  const { channels, rate } = packed[0]!;
  return {
    ...{ rendition, streams, heard, complaints: heard.complaints },
    framesDecoded: heard.samples.length / channels / AAC_FRAME_SAMPLES,
    times: packed.map(({ startTicks, frames }) =>
      frames.map((_, index) => startTicks + (index * AAC_FRAME_SAMPLES * 90_000) / rate),
    ),
    description: await describe(path),
  };
}

const AAC_FRAME_SAMPLES = 1024;
const AAC_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000];
const TIME_STAMP_OWNER = 'com.apple.streaming.transportStreamTimestamp\0';

/** A segment of packed audio (RFC 8216, section 3.4): an ID3 tag with the first sample's time stamp, then ADTS frames. */
function packedAudio(segment: Buffer) {
  if (segment.toString('latin1', 0, 3) !== 'ID3') throw new Error('packed audio: no ID3 tag');
  const tagBytes = segment.subarray(6, 10).reduce((size, byte) => size * 128 + byte, 0);
  const stampAt = segment.indexOf(TIME_STAMP_OWNER, 0, 'latin1') + TIME_STAMP_OWNER.length;
  const frames = adtsFrames(segment.subarray(10 + tagBytes));
  const [, , third, fourth] = frames[0]!;
  return {
    startTicks: Number(segment.readBigUInt64BE(stampAt)),
    frames,
    rate: AAC_RATES[(third! >> 2) & 0x0f]!,
    channels: ((third! & 1) << 2) | (fourth! >> 6),
  };
}

const DESCRIBED = [
  ...['codec_name', 'profile', 'level', 'width', 'height', 'sample_aspect_ratio', 'pix_fmt', 'field_order'],
  ...['color_range', 'color_space', 'color_transfer', 'color_primaries', 'r_frame_rate', 'has_b_frames'],
  ...['sample_rate', 'channels'],
];

async function describe(path: string): Promise<string> {
  const { streams } = await ffprobe('-show_entries', `stream=${DESCRIBED.join()}`, path);
  return streams.map((stream) => Object.values(stream).join(' ')).join(' + ');
}

const ratioOf = (a: Looked, b: Looked): number =>
  a.heard ? leastSoundRatio(a.heard, b.heard!) : leastPictureRatio(a.looks!, b.looks!);

/** Infinity where a frame has no partner. */
function timeDifferenceMs(times: readonly number[][], expected: readonly number[][]): number {
  const [own, other] = [times.flat(), expected.flat()];
  if (own.length !== other.length) return Infinity;
  return own.reduce((worst, time, index) => Math.max(worst, Math.abs(time - other[index]!)), 0) / 90;
}

function timeProblems(maker: string, times: readonly number[][], expected: readonly number[][]): string[] {
  if (times.length !== expected.length) return [`${maker}: ${times.length} segments, not ${expected.length}`];
  const index = times.findIndex((own, segment) => timeDifferenceMs([own], [expected[segment]!]) > 0);
  if (index < 0) return [];
  const [own, other] = [times[index]!, expected[index]!];
  return [
    own.length !== other.length
      ? `${maker}, segment ${index}: ${own.length} frames, not ${other.length}`
      : `${maker}, segment ${index}: off by ${milliseconds(timeDifferenceMs([own], [other]))}`,
  ];
}

function decodingProblems(maker: string, { times, framesDecoded, complaints }: Looked): string[] {
  const frames = times.flat().length;
  return [
    ...(framesDecoded === frames ? [] : [`${maker}: ${framesDecoded} of ${frames} frames`]),
    ...(complaints ? [`${maker}: ${firstLine(complaints)}`] : []),
  ];
}

const firstLine = (text: string): string => text.trim().split('\n')[0]!;
const largest = ({ withinMs, acrossMs }: Spacing): number => Math.max(withinMs, acrossMs);

/** A requirement on this checkout, a fact about the other. */
function structureFinding(name: string, take: Take, packets: readonly TransportSegment[]): Finding {
  const spacing = clockSpacing(packets);
  const { borders, runOn } = bordersRunOn(packets);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const jumps = sum(packets.map((segment) => segment.jumps));
  const flags = sum(packets.map((segment) => segment.flags));
  const leastLeadMs = Math.min(...packets.map((segment) => segment.leastLeadMs));
  const what = `${name}, ${nameOf(take)}: PCR every ${milliseconds(spacing.withinMs)} or less, over borders ${milliseconds(spacing.acrossMs)}; counters run on at ${runOn} of ${borders} borders; ${flags} discontinuity flags`;
  const wrong = [
    ...(largest(spacing) > MOST_CLOCK_DISTANCE_MS ? [`PCR wanted every ${MOST_CLOCK_DISTANCE_MS} ms`] : []),
    ...(leastLeadMs < 0 ? [`a picture is decoded ${milliseconds(-leastLeadMs)} before its PCR`] : []),
    ...(jumps > 0 ? [`counters jump within segments, ${jumps} times`] : []),
    ...(runOn < borders ? ['counters do not run on'] : []),
  ];
  return take.checkout === 'this'
    ? finding(what, wrong)
    : fact(wrong.length > 0 ? `${what}: ${wrong.join('; ')}` : what);
}

interface InTake {
  take: Take;
  own: Looked;
}

/** Segments of two makers in turn, for every two makers of which one is this checkout. */
async function mixtureFindings(
  name: string,
  inTakes: readonly InTake[],
  expected: Looked,
  directory: string,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const pairs = inTakes.flatMap((a, index) => inTakes.slice(index + 1).map((b) => [a, b] as const));
  for (const [a, b] of pairs) {
    if (a.take.checkout === 'other' && b.take.checkout === 'other') continue;
    const alternate = <Part>(partsOf: (looked: Looked) => readonly Part[]): Part[] =>
      expected.times.map((_, index) => partsOf((index % 2 === 0 ? a : b).own)[index]!);
    const { kind } = expected.rendition;
    const path = join(directory, `mixture.${kind}`);
    const bytes = alternate(({ streams, rendition }) => (kind === 'aac' ? streams : rendition.segments));
    if (bytes.some((segment) => segment === undefined)) continue; // the times report it
    await writeFile(path, Buffer.concat(bytes));
    const isOurs = a.take.checkout === b.take.checkout;
    const wrong =
      kind === 'aac'
        ? await soundMixtureProblems(path, expected)
        : [
            ...(await pictureMixtureProblems(path, expected)),
            ...(isOurs ? counterProblems(alternate(({ packets }) => packets!)) : []),
          ];
    findings.push(
      finding(
        `${name}, ${nameOf(a.take)} mixed with ${nameOf(b.take)}`,
        wrong,
        'decodes without a warning, every frame at its time',
      ),
    );
  }
  return findings;
}

async function soundMixtureProblems(path: string, expected: Looked): Promise<string[]> {
  const { samples, complaints } = await heardIn(path);
  const length = expected.heard!.samples.length;
  return [
    ...(samples.length === length ? [] : [`${samples.length} of ${length} samples`]),
    ...(complaints ? [firstLine(complaints)] : []),
  ];
}

async function pictureMixtureProblems(path: string, expected: Looked): Promise<string[]> {
  const { times, complaints } = await pictures(path);
  const ticks = times.map((seconds) => Math.round(seconds * 90_000)).sort((a, b) => a - b);
  return [
    ...timeProblems('decoded', [ticks], [expected.times.flat()]),
    ...(complaints ? [firstLine(complaints)] : []),
  ];
}

function counterProblems(packets: readonly TransportSegment[]): string[] {
  const { borders, runOn } = bordersRunOn(packets);
  return runOn < borders ? [`counters run on at ${runOn} of ${borders} borders only`] : [];
}
