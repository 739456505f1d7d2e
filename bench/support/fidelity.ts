// Compares what was made with the source it was made from, by looking and listening: is each picture the right way up
// and at its time, and does the sound lie where it lay?

import { LOUDNESS_SECONDS, SIDE } from './independent-decode.ts';
import type { Pictures, Sound } from './independent-decode.ts';

// What differs by less is taken for the same: encoders, scalers and tone mapping change some.
const SAME_LEVELS = 6;
const SAME_LIKENESS = 0.95;
/** Pictures closer than that are more than any screen shows. */
const LEAST_SECONDS = 1 / 60;

/**
 * How many of the source's pictures are not to be seen in what was made, at their time: because others stand there, or
 * because two of them fall on one picture of the made rate.
 */
export function lostPictures(
  made: Pictures,
  source: Pictures,
  originSeconds: number,
): { lost: number; of: number } {
  const { times, looks } = source;
  const slack = frameSeconds(made) + 0.005;
  let [lost, of, from] = [0, 0, 0];
  for (const [index, time] of times.entries()) {
    const next = times[index + 1] ?? time + slack;
    if (next - time < LEAST_SECONDS - 0.002) continue;
    of += 1;
    const [begin, end] = [time - originSeconds - slack, next - originSeconds + slack];
    while (from < made.times.length && made.times[from]! < begin) from += 1;
    let isSeen = false;
    for (let at = from; at < made.times.length && made.times[at]! <= end && !isSeen; at += 1) {
      isSeen = isSame(made.looks[at]!, looks[index]!);
    }
    if (!isSeen || isCrowdedOut(made, time - originSeconds, next - originSeconds)) lost += 1;
  }
  return { lost, of };
}

/** Whether two moments fall on one picture of a constant rate. */
function isCrowdedOut(made: Pictures, seconds: number, next: number): boolean {
  const frame = frameSeconds(made);
  return (
    frame > 0 && next - seconds < frame * 0.9 && Math.round(seconds / frame) === Math.round(next / frame)
  );
}

const frameSeconds = ({ times }: Pictures): number =>
  times.length > 1 ? (times.at(-1)! - times[0]!) / (times.length - 1) : 0;

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  difference(a, b) <= SAME_LEVELS || likeness(a, b) >= SAME_LIKENESS;

// Of the loudest: what is softer is room tone.
const AUDIBLE = 0.02;
// Mixing many channels into two, and two into one, changes levels.
const SAME_LOUDNESS = 0.2;
const SOUND_REACH_SECONDS = 0.05;

/** For how long the source is heard and what was made is not, of how long the source is heard. */
export function silencedSeconds(
  made: Sound,
  source: Sound,
  originSeconds: number,
): { lost: number; of: number } {
  const loudest = source.loudness.reduce((most, value) => Math.max(most, value), 0);
  const offset = Math.round((source.startSeconds - originSeconds - made.startSeconds) / LOUDNESS_SECONDS);
  const reach = Math.round(SOUND_REACH_SECONDS / LOUDNESS_SECONDS);
  let [lost, of] = [0, 0];
  for (const [window, loudness] of source.loudness.entries()) {
    const at = window + offset;
    // What lies before the first picture may go.
    if (loudness <= AUDIBLE * loudest || at < 0) continue;
    of += 1;
    const around = made.loudness.subarray(Math.max(0, at - reach), at + reach + 1);
    if (Math.max(0, ...around) < SAME_LOUDNESS * loudness) lost += 1;
  }
  return { lost: lost * LOUDNESS_SECONDS, of: of * LOUDNESS_SECONDS };
}

/**
 * Whether the made pictures resemble the source's more as they are than turned or mirrored in any way. What looks the same
 * then, as black does, tells nothing.
 */
export function isUpright(made: Uint8Array, source: Uint8Array): boolean {
  const asIs = likeness(made, source);
  return ORIENTATIONS.map((orientation) => turned(made, orientation)).every(
    (other) => difference(other, made) <= SAME_LEVELS || likeness(other, source) <= asIs + 0.02,
  );
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

const ALIKE = 0.03;

/** How far the made sound lies after the source's, in seconds; undefined where it is silent or never changes. */
export function soundShift(made: Sound, source: Sound, originSeconds: number): number | undefined {
  const offset = Math.round((made.startSeconds + originSeconds - source.startSeconds) / LOUDNESS_SECONDS);
  const reach = Math.round(1 / LOUDNESS_SECONDS);
  // Where little is compared, chance decides.
  const least = Math.min(made.loudness.length, source.loudness.length) / 2;
  const scores: { lag: number; score: number }[] = [];
  for (let lag = -reach; lag <= reach; lag += 1) {
    scores.push({ lag, score: correlation(made.loudness, source.loudness, offset - lag, least) });
  }
  const most = Math.max(...scores.map(({ score }) => score));
  if (!(most > 0.5)) return undefined;
  // What repeats itself fits in many places: the nearest counts.
  const lags = scores.filter(({ score }) => score >= most - ALIKE).map(({ lag }) => lag);
  return lags.reduce((best, lag) => (Math.abs(lag) < Math.abs(best) ? lag : best)) * LOUDNESS_SECONDS;
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
