// Imaginary videos and what is made of them, so that together they take every branch on the way from a plan to
// ffmpeg's arguments. Recordings of recipes are made from these; a recording keeps its own copies.

import { mezzanineKey } from '../../core/artifacts/keys.ts';
import type { Effort, PlannedSource } from '../../core/plan/plan.ts';
import type { Probe } from '../../core/source/probe.ts';
import type { Rescue } from '../../core/encoding/job.ts';
import { SOURCE, probeOf } from './probes.ts';

/** The id of all of them. */
export const RECORDED_ID = 'zd30j0l9uaislz35nxcmsue4k7lpy0xn9v';

/** What is made of a video, as JSON. Renditions are all unless some are named. */
export type Job =
  | { kind: 'segments'; from: number; to: number; renditions?: string[]; rescue?: Rescue; effort?: Effort }
  /** A null preroll: read from the beginning. */
  | { kind: 'still'; still: Still; prerollSeconds: number | null }
  | { kind: 'blank still'; still: Still };

type Still = { kind: 'poster' } | { kind: 'thumb'; seconds: number } | { kind: 'sheet'; index: number };

export interface ImaginaryVideo {
  title: string;
  probe: Probe;
  source: PlannedSource;
  jobs: Job[];
}

const run = (from: number, to: number, ...renditions: string[]): Job => ({
  ...{ kind: 'segments', from, to },
  ...(renditions.length > 0 ? { renditions } : {}),
});
const ahead = (from: number, to: number): Job => ({ kind: 'segments', from, to, effort: 'thorough' });
const rescued = (rescue: Rescue, from: number, to: number, ...renditions: string[]): Job => ({
  ...(run(from, to, ...renditions) as Job & { kind: 'segments' }),
  rescue,
});
const poster = { kind: 'poster' } as const;
const thumb = (seconds: number) => ({ kind: 'thumb', seconds }) as const;
const sheet = (index: number) => ({ kind: 'sheet', index }) as const;
const still = (of: Still, prerollSeconds: number | null = 1): Job => ({
  ...{ kind: 'still', still: of, prerollSeconds },
});
const blank = (of: Still): Job => ({ kind: 'blank still', still: of });

const NTSC = { num: 30_000, den: 1001 };
const rated = (rate: { num: number; den: number }) => ({ baseFrameRate: rate, averageFrameRate: rate });
const SD = { width: 640, height: 360, codedHeight: 360 };
const PQ = { matrix: 'bt2020nc', primaries: 'bt2020', transfer: 'smpte2084', isFullRange: false };

const described: {
  title: string;
  streams: Parameters<typeof probeOf>[0];
  jobs: Job[];
  source?: PlannedSource;
}[] = [
  {
    title: '25 fps with sound at 44.1 kHz',
    streams: { video: { frames: 401 }, audio: { sampleRate: 44_100 } },
    jobs: [
      ...[run(0, 3), run(0, 1, '720p'), run(1, 2, '360p'), run(1, 2, 'audio-0'), run(3, 5)],
      ahead(0, 3),
    ],
  },
  {
    title: 'two rungs at 29.97 fps with sound at 48 kHz',
    streams: { video: { ...rated(NTSC), width: 854, height: 480, codedHeight: 480, frames: 900 }, audio: {} },
    jobs: [run(0, 3), run(2, 3, '480p'), run(3, 5, '480p', '360p'), run(7, 8, '360p')],
  },
  {
    title: '60 fps, which get more bits',
    streams: { video: { ...rated({ num: 60, den: 1 }), width: 1920, height: 1080, codedHeight: 1080 } },
    jobs: [run(0, 2), run(1, 2, '1080p')],
  },
  {
    title: 'a picture per second, below every rung, in odd sizes',
    streams: {
      video: { ...rated({ num: 1, den: 1 }), width: 161, height: 121, codedHeight: 121, frames: 14 },
    },
    jobs: [run(0, 2), run(3, 4)],
  },
  {
    title: 'time stamps that begin below zero, in a copy',
    streams: {
      video: { timeBase: { num: 1, den: 1000 }, startPts: -480 },
      audio: { startSeconds: -0.48 },
    },
    source: {
      ...{ kind: 'mezzanine', key: mezzanineKey(RECORDED_ID, 'e'), reason: 'CONTAINER' },
      ...{ sizeBytes: 900_000, etag: 'e', keyframeSeconds: 2 },
    },
    jobs: [run(0, 1), run(1, 2), still(thumb(1))],
  },
  {
    title: 'turned by 90 degrees, interlaced, full range',
    streams: { video: { ...SD, turn: 90, isInterlaced: true, colour: { isFullRange: true } } },
    jobs: [run(0, 2), still(poster), still(thumb(3)), still(sheet(0))],
  },
  { title: 'upside down', streams: { video: { ...SD, turn: 180 } }, jobs: [run(0, 1), still(thumb(0))] },
  {
    title: 'turned by 270 degrees, in the colours of PAL',
    streams: {
      video: {
        ...{ ...SD, turn: 270 },
        colour: { matrix: 'bt470bg', primaries: 'bt470bg', transfer: 'smpte170m' },
      },
    },
    jobs: [run(0, 1), still(thumb(0))],
  },
  {
    title: 'high dynamic range: PQ',
    streams: { video: { pixelFormat: 'yuv420p10le', colour: PQ } },
    jobs: [run(0, 2), run(1, 2, '360p'), still(poster), still(sheet(0))],
  },
  {
    title: 'high dynamic range: HLG, full range, turned',
    streams: {
      video: {
        ...{ ...SD, pixelFormat: 'yuv420p10le', turn: 90 },
        colour: { transfer: 'arib-std-b67', matrix: 'bt2020c', isFullRange: true },
      },
    },
    jobs: [run(0, 1), still(thumb(2))],
  },
  {
    title: 'wide gamut',
    streams: { video: { colour: { primaries: 'bt2020', matrix: 'bt2020nc' } } },
    jobs: [run(0, 2), still(poster)],
  },
  { title: 'RGB', streams: { video: { ...SD, pixelFormat: 'gbrp' } }, jobs: [run(0, 1), still(poster)] },
  {
    title: 'a picture that begins after the sound',
    streams: { video: { startPts: 150, frames: 250 }, audio: { durationSeconds: 16 } },
    jobs: [run(0, 3), run(0, 1, '360p'), run(1, 2, '720p'), run(2, 3, '360p'), still(thumb(2), null)],
  },
  {
    title: 'sound that goes on after the picture',
    streams: { video: { frames: 250 }, audio: { durationSeconds: 19 } },
    jobs: [run(1, 3), run(4, 5), run(4, 5, 'audio-0'), still(thumb(17)), still(poster, null)],
  },
  {
    title: 'damaged',
    streams: { video: { frames: 500, startPts: 50 }, audio: { sampleRate: 32_000 } },
    jobs: [
      ...[rescued('held', 1, 3), rescued('held', 2, 3, '360p'), rescued('held', 1, 2, 'audio-0')],
      ...[rescued('blank', 1, 3), rescued('blank', 2, 3, '360p'), rescued('blank', 1, 2, 'audio-0')],
      ...[still(poster, 30), still(thumb(9), null), blank(poster), blank(thumb(9)), blank(sheet(0))],
    ],
  },
  {
    title: 'sound of 22.05 kHz',
    streams: { audio: { index: 0, sampleRate: 22_050, durationSeconds: 30 } },
    jobs: [run(0, 2), run(3, 4), run(7, 8)],
  },
  {
    title: 'sound of one channel at 96 kHz',
    streams: { video: SD, audio: { channels: 1, sampleRate: 96_000 } },
    jobs: [run(0, 2, 'audio-0'), rescued('blank', 1, 2, 'audio-0')],
  },
  { title: 'sound of six channels', streams: { video: SD, audio: { channels: 6 } }, jobs: [run(0, 2)] },
  {
    title: 'sound of ten channels at 44.1 kHz',
    streams: { video: SD, audio: { channels: 10, sampleRate: 44_100 } },
    jobs: [run(0, 2, 'audio-0'), run(1, 2, 'audio-0')],
  },
  {
    title: 'silence before and after the sound',
    streams: { video: { ...SD, frames: 600 }, audio: { startSeconds: 9, durationSeconds: 4 } },
    jobs: [0, 1, 2, 3, 5].map((from) => run(from, from + 1, 'audio-0')),
  },
  {
    title: 'stills of a short film',
    streams: { video: { ...rated(NTSC), width: 1920, height: 1080, codedHeight: 1080, frames: 1500 } },
    jobs: [
      ...[still(poster), still(poster, null), still(thumb(0)), still(thumb(30)), still(thumb(30), null)],
      ...[still(sheet(0)), still(sheet(1), 30), still(sheet(2)), blank(poster), blank(sheet(2))],
    ],
  },
  {
    title: 'stills of a long film, by keyframes only',
    streams: { video: { ...rated(NTSC), ...SD, frames: 323_676 } },
    jobs: [
      ...[still(poster), still(thumb(3600), 60), still(sheet(0), 60), still(sheet(7), 60)],
      ...[still(sheet(0), null), blank(thumb(60)), blank(sheet(7))],
    ],
  },
];

export const IMAGINARY_VIDEOS: ImaginaryVideo[] = described.map(
  ({ title, streams, jobs, source = SOURCE }) => ({
    ...{ title, probe: probeOf(streams), source, jobs },
  }),
);

/** Of which copies are made. */
export const COPIED: { title: string; probe: Probe }[] = [
  { title: 'picture and sound', probe: probeOf({ video: {}, audio: {} }) },
  {
    title: 'AAC that repeats its setup in every frame',
    probe: probeOf({ video: { index: 1 }, audio: { index: 0, hasSetup: false } }),
  },
  { title: 'a picture alone', probe: probeOf({ video: { codec: 'mpeg2video' } }) },
  { title: 'sound alone', probe: probeOf({ audio: { index: 0, codec: 'mp3' } }) },
];

/** Of ffmpeg, but for the file it writes: two rungs at 29.97 fps with sound, for segments that are really made. */
export const REAL_SOURCE = [
  ...['-f', 'lavfi', '-i', 'testsrc2=s=854x480:r=30000/1001:d=13'],
  ...['-f', 'lavfi', '-i', 'sine=440:r=44100:d=13'],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '120', '-c:a', 'aac'],
];
