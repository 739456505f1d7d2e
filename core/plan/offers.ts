// What the same videos cost with us, with AWS's own encoder, and with two services that do it all: preparing them once,
// keeping them for a month, and showing them. docs/cost.md is made of it.

import { costEstimate } from '../work/cost.ts';
import { valueOf } from '../fraction.ts';
import { durationSeconds, segmentCount } from './grid.ts';
import { renditionsOf } from './plan.ts';
import type { Plan } from './plan.ts';
import {
  AWS_PRICES,
  CLOUDFLARE_STREAM_PRICES,
  CLOUDFRONT_PER_FUNCTION_CALL,
  CLOUDFRONT_PER_KEY_READ,
  CLOUDFRONT_PER_REQUEST,
  CLOUDFRONT_TIERS,
  MEDIACONVERT_PER_OUTPUT_MINUTE,
  MUX_PRICES,
} from '../work/prices.ts';

export interface Catalogue {
  /** One of the videos; all are alike. */
  plan: Plan;
  videos: number;
  sourceBitrateBps: number;
  /** How often each is watched from beginning to end within the month. */
  viewings: number;
  /** What a viewer takes on average, sound included. */
  viewedBitrateBps: number;
}

export interface Offer {
  name: 'Instant HLS' | 'MediaConvert' | 'Mux' | 'Cloudflare Stream';
  /** In dollars; preparation is paid once. */
  preparation: number;
  storagePerMonth: number;
  delivery: number;
}

export function offers(catalogue: Catalogue): Offer[] {
  const { plan, videos, viewings } = catalogue;
  const bytes = storedBytes(catalogue);
  const receipt = costEstimate(plan, bytes).estimatedDollars;
  const storagePerMonth = videos * receipt.storagePerMonth;
  const delivery = cloudFront(catalogue);
  const minutes = (videos * durationSeconds(plan.grid)) / 60;
  const perMinute = (prices: { perStoredMinuteMonth: number; perDeliveredMinute: number }) => ({
    preparation: 0,
    storagePerMonth: minutes * prices.perStoredMinuteMonth,
    delivery: minutes * viewings * prices.perDeliveredMinute,
  });
  return [
    { name: 'Instant HLS', preparation: videos * receipt.preparation, storagePerMonth, delivery },
    { name: 'MediaConvert', preparation: minutes * mediaConvertPerMinute(plan), storagePerMonth, delivery },
    { name: 'Mux', ...perMinute(MUX_PRICES) },
    { name: 'Cloudflare Stream', ...perMinute(CLOUDFLARE_STREAM_PRICES) },
  ];
}

/** Every rung at the most it may spend: an upper bound, as CRF stays below it wherever the picture allows. */
export function storedBytes({ plan, sourceBitrateBps }: Pick<Catalogue, 'plan' | 'sourceBitrateBps'>) {
  const bitrateBps =
    sumOf(renditionsOf(plan, 'video').map(({ maxBitrateBps }) => maxBitrateBps)) +
    sumOf(renditionsOf(plan, 'audio').map(({ bitrateBps }) => bitrateBps));
  const seconds = durationSeconds(plan.grid);
  return { sourceBytes: (sourceBitrateBps * seconds) / 8, artifactBytes: (bitrateBps * seconds) / 8 };
}

/** The id, or the token, is checked with a key that is read for it. */
const PER_CHECKED_REQUEST = CLOUDFRONT_PER_REQUEST + CLOUDFRONT_PER_FUNCTION_CALL + CLOUDFRONT_PER_KEY_READ;

/** Traffic and requests to the viewers, and what the CDN reads from the bucket once. */
function cloudFront({ plan, videos, viewings, viewedBitrateBps }: Catalogue): number {
  const gigabytes = (videos * viewings * durationSeconds(plan.grid) * viewedBitrateBps) / 8 / 1e9;
  const streams = new Set(plan.renditions.map(({ kind }) => kind)).size;
  // Segments and the media playlist of what is watched, and the multivariant playlist.
  const requests = videos * viewings * (streams * (segmentCount(plan.grid) + 1) + 1);
  const fills = Math.min(viewings, 1) * videos * streams * segmentCount(plan.grid);
  return tiered(gigabytes) + requests * PER_CHECKED_REQUEST + fills * AWS_PRICES.s3PerGet;
}

function tiered(gigabytes: number): number {
  let [dollars, from] = [0, 0];
  for (const { upToGigabytes, perGigabyte } of CLOUDFRONT_TIERS) {
    dollars += Math.max(0, Math.min(gigabytes, upToGigabytes) - from) * perGigabyte;
    from = upToGigabytes;
  }
  return dollars;
}

/** One output for each rung, with the sound in it: that is how it is billed least. */
function mediaConvertPerMinute(plan: Plan): number {
  const { sd, hd } = MEDIACONVERT_PER_OUTPUT_MINUTE;
  const perMinute = sumOf(
    renditionsOf(plan, 'video').map(({ width, height }) => (Math.min(width, height) >= 720 ? hd : sd)),
  );
  return perMinute * (valueOf(plan.grid.frameRate) > 30 ? 2 : 1);
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
