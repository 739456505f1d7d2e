// Compares what was made with the source it was made from, by looking and listening: is each picture the right way up
// and at its time, and does the sound lie where it lay?

import { ffmpeg } from '../../test/support/media.ts';

const SIDE = 32;
const PICTURE_BYTES = SIDE * SIDE;

export interface Pictures {
  /** Seconds on the file's own clock. */
  times: number[];
  /** 32 × 32 luma of each. */
  looks: Uint8Array[];
}

/** All pictures that decode, turned as the container asks. */
export async function picturesOf(path: string, stream = '0:v:0'): Promise<Pictures> {
  const filters = `scale=${SIDE}:${SIDE}:flags=area,format=gray,showinfo`;
  const { stdout, stderr } = await ffmpeg(
    ...['-v', 'info', '-copyts', '-i', path, '-map', stream, '-vf', filters],
    ...['-vsync', '0', '-f', 'rawvideo', '-'],
  );
  const times = [...stderr.matchAll(/\bpts_time:\s*(-?[\d.]+)/g)].map(([, seconds]) => Number(seconds));
  const looks = times.map((_, index) => stdout.subarray(index * PICTURE_BYTES, (index + 1) * PICTURE_BYTES));
  return { times, looks };
}

/** Whether the made pictures resemble the source's more as they are than turned or mirrored in any way. */
export function isUpright(made: Uint8Array, source: Uint8Array): boolean {
  const asIs = likeness(made, source);
  return ORIENTATIONS.every((orientation) => likeness(turned(made, orientation), source) <= asIs + 0.02);
}

const MOST_LAG_SECONDS = 0.5;
const LAG_STEP_SECONDS = 0.005;

/**
 * How far the made pictures lie after the source's, in seconds; undefined where all look the same. The source's picture
 * is the one that stands at the moment, so that lags within a picture's time are alike: the least of them counts.
 */
export function pictureShift(made: Pictures, source: Pictures, originSeconds: number): number | undefined {
  const step = Math.max(1, Math.floor(made.times.length / 60));
  const sampled = made.times.map((_, index) => index).filter((index) => index % step === 0);
  const lags: { lag: number; off: number }[] = [];
  for (let lag = 0; lag <= MOST_LAG_SECONDS; lag += LAG_STEP_SECONDS) {
    for (const signed of lag === 0 ? [0] : [lag, -lag]) {
      const off = sampled.reduce((sum, index) => {
        const look = lookAt(source, made.times[index]! + originSeconds - signed);
        return sum + difference(look, made.looks[index]!);
      }, 0);
      lags.push({ lag: signed, off: off / sampled.length });
    }
  }
  const best = Math.min(...lags.map(({ off }) => off));
  const worst = Math.max(...lags.map(({ off }) => off));
  if (worst - best < 0.5) return undefined;
  return lags.find(({ off }) => off <= best + 0.1 * (worst - best))!.lag;
}

/** The picture that stands at a time; half a millisecond is what containers round by. */
function lookAt({ times, looks }: Pictures, seconds: number): Uint8Array {
  const next = times.findIndex((time) => time > seconds + 0.0005);
  return looks[next < 0 ? looks.length - 1 : Math.max(0, next - 1)]!;
}

export interface Sound {
  startSeconds: number;
  /** Loudness of each 5 ms. */
  loudness: Float64Array;
}

const WINDOW_SECONDS = 0.005;

export async function soundOf(path: string, input: string[] = [], stream = '0:a:0'): Promise<Sound> {
  const { stdout, stderr } = await ffmpeg(
    ...['-v', 'info', '-copyts', ...input, '-i', path, '-map', stream],
    ...['-af', 'aformat=sample_fmts=flt:channel_layouts=mono,ashowinfo', '-f', 'f32le', '-'],
  );
  const bytes = stdout.buffer.slice(
    stdout.byteOffset,
    stdout.byteOffset + stdout.length - (stdout.length % 4),
  );
  const samples = new Float32Array(bytes);
  const frames = [...stderr.matchAll(/\bpts_time:\s*(-?[\d.]+).* rate:(\d+) nb_samples:(\d+)/g)].map(
    ([, seconds, rate, count]) => ({ seconds: Number(seconds), rate: Number(rate), count: Number(count) }),
  );
  const startSeconds = frames[0]?.seconds ?? 0;
  const last = frames.at(-1);
  const lengthSeconds = last ? last.seconds + last.count / last.rate - startSeconds : 0;
  const energy = new Float64Array(Math.max(0, Math.floor(lengthSeconds / WINDOW_SECONDS)));
  // Each frame where its time stamp says: some recorders leave holes.
  let position = 0;
  for (const { seconds, rate, count } of frames) {
    for (let index = 0; index < count; index += 1, position += 1) {
      const window = Math.floor((seconds - startSeconds + index / rate) / WINDOW_SECONDS);
      if (window < energy.length) energy[window]! += samples[position]! ** 2 / rate;
    }
  }
  return { startSeconds, loudness: energy.map(Math.sqrt) };
}

/** How far the made sound lies after the source's, in seconds; undefined where it is silent or never changes. */
export function soundShift(made: Sound, source: Sound, originSeconds: number): number | undefined {
  const offset = Math.round((made.startSeconds + originSeconds - source.startSeconds) / WINDOW_SECONDS);
  const reach = Math.round(1 / WINDOW_SECONDS);
  // Where little is compared, chance decides.
  const least = Math.min(made.loudness.length, source.loudness.length) / 2;
  let best = { lag: 0, score: -Infinity };
  for (let lag = -reach; lag <= reach; lag += 1) {
    const score = correlation(made.loudness, source.loudness, offset - lag, least);
    if (score > best.score) best = { lag, score };
  }
  return best.score > 0.5 ? best.lag * WINDOW_SECONDS : undefined;
}

/** Pearson's, of `a[i]` with `b[i + offset]`, at least so many of them. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>, offset: number, least = 1): number {
  const [from, to] = [Math.max(0, -offset), Math.min(a.length, b.length - offset)];
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  for (let index = from; index < to; index += 1) {
    const [x, y] = [a[index]!, b[index + offset]!];
    n += 1;
    sa += x;
    sb += y;
    saa += x * x;
    sbb += y * y;
    sab += x * y;
  }
  if (n < least) return -Infinity;
  const spread = Math.sqrt((n * saa - sa * sa) * (n * sbb - sb * sb));
  return spread > 0 ? (n * sab - sa * sb) / spread : -Infinity;
}

const likeness = (a: Uint8Array, b: Uint8Array): number => correlation(a, b, 0);

const difference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length;

const LAST = SIDE - 1;
const ORIENTATIONS: ((x: number, y: number) => [number, number])[] = [
  (x, y) => [LAST - x, LAST - y],
  (x, y) => [y, LAST - x],
  (x, y) => [LAST - y, x],
  (x, y) => [LAST - x, y],
  (x, y) => [x, LAST - y],
  (x, y) => [y, x],
];

const turned = (look: Uint8Array, from: (x: number, y: number) => [number, number]): Uint8Array =>
  look.map((_, index) => {
    const [x, y] = from(index % SIDE, Math.floor(index / SIDE));
    return look[y * SIDE + x]!;
  });
