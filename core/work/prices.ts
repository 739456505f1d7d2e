// List prices in dollars, without free tiers and discounts, as of November 2026; AWS's for us-east-1. docs/cost.md says of
// each whether it was read or remembered.

export const AWS_PRICES = {
  lambdaPerGigabyteSecond: 0.0000166667,
  lambdaPerRequest: 0.2e-6,
  s3PerGigabyteMonth: 0.023,
  s3PerPut: 5e-6,
  s3PerGet: 0.4e-6,
  stepFunctionsPerTransition: 25e-6,
} as const;

/** By the traffic of a month, all videos together: up to so many gigabytes, at so much each. North America and Europe. */
export const CLOUDFRONT_TIERS = [
  { upToGigabytes: 10_000, perGigabyte: 0.085 },
  { upToGigabytes: 50_000, perGigabyte: 0.08 },
  { upToGigabytes: 150_000, perGigabyte: 0.06 },
  { upToGigabytes: 500_000, perGigabyte: 0.04 },
  { upToGigabytes: 1_024_000, perGigabyte: 0.03 },
  { upToGigabytes: 5_000_000, perGigabyte: 0.025 },
  { upToGigabytes: Infinity, perGigabyte: 0.02 },
] as const;
export const CLOUDFRONT_PER_REQUEST = 1e-6;
/** A function that runs at the edge before the cache is asked, and what such a function asks of a KeyValueStore. */
export const CLOUDFRONT_PER_FUNCTION_CALL = 0.1e-6;
export const CLOUDFRONT_PER_KEY_READ = 0.03e-6;

/** Basic tier, AVC in one pass, for each minute of each output; pictures above 30 per second cost double. */
export const MEDIACONVERT_PER_OUTPUT_MINUTE = { sd: 0.0075, hd: 0.015 } as const;

/** For 1080p of the basic quality, whose encoding is free. */
export const MUX_PRICES = { perStoredMinuteMonth: 0.003, perDeliveredMinute: 0.001 } as const;

/** Encoding is free. */
export const CLOUDFLARE_STREAM_PRICES = { perStoredMinuteMonth: 0.005, perDeliveredMinute: 0.001 } as const;
