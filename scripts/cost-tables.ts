// Writes the tables of docs/cost.md, which are computed: `npm run docs:cost`. A test compares them.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { costEstimate } from '../core/work/cost.ts';
import { cpuSecondsByPart } from '../core/work/cpu-seconds.ts';
import { offers } from '../core/plan/offers.ts';
import type { Catalogue, Offer } from '../core/plan/offers.ts';
import { planFor } from '../core/plan/plan-for.ts';
import type { Effort, Plan } from '../core/plan/plan.ts';
import type { PrewarmExtent } from '../core/plan/plan-for.ts';
import {
  AWS_PRICES,
  CLOUDFLARE_STREAM_PRICES,
  CLOUDFRONT_PER_FUNCTION_CALL,
  CLOUDFRONT_PER_KEY_READ,
  CLOUDFRONT_PER_REQUEST,
  CLOUDFRONT_TIERS,
  MEDIACONVERT_PER_OUTPUT_MINUTE,
  MUX_PRICES,
} from '../core/work/prices.ts';
import { BROKER_MEMORY_MB } from '../core/sandboxes.ts';
import { SOURCE, probeOf } from '../test/support/probes.ts';

export const COST_PAGE = join(import.meta.dirname, '..', 'docs', 'cost.md');

const SOURCE_BITRATE_BPS = 8_000_000;
const VIEWED_BITRATE_BPS = 3_000_000;

/** The page with each of its tables computed anew. @throws Error for a table that is not known. */
export function withCostTables(page: string): string {
  return page.replaceAll(/(<!-- table: (\w+) -->\n)[^]*?(<!-- end -->)/g, (_, start, name: string, end) => {
    const table = TABLES[name];
    if (!table) throw new Error(`${COST_PAGE} wants the table ${name}, which is not known.`);
    return `${start}\n${table()}\n\n${end}`;
  });
}

const TABLES: Readonly<Record<string, () => string>> = { prices, second, amounts, months, lowest, refused };

function prices(): string {
  const READ = 'read';
  const REMEMBERED = 'remembered';
  const perMillion = (price: number) => `${dollars(price * 1e6)} per million`;
  const [first] = CLOUDFRONT_TIERS;
  return table(
    ['price', '', 'known'],
    [
      ['Lambda, x86_64', `$${AWS_PRICES.lambdaPerGigabyteSecond} per GB-second`, REMEMBERED],
      ['Lambda, calls', perMillion(AWS_PRICES.lambdaPerRequest), REMEMBERED],
      [
        'Step Functions, standard',
        `${dollars(AWS_PRICES.stepFunctionsPerTransition * 1000)} per 1,000 transitions`,
        `${READ}: AWS's page`,
      ],
      [
        'S3, storage',
        `${dollars(AWS_PRICES.s3PerGigabyteMonth)} per GB and month`,
        `${READ}: others' guides`,
      ],
      [
        'S3, PUT and GET',
        `${perMillion(AWS_PRICES.s3PerPut)} and ${perMillion(AWS_PRICES.s3PerGet)}`,
        `${READ}: others' guides`,
      ],
      [
        'CloudFront, traffic',
        `${dollars(first.perGigabyte)} per GB, falling to ${dollars(CLOUDFRONT_TIERS.at(-1)!.perGigabyte)} with the month's traffic`,
        `${READ}: AWS's page`,
      ],
      ['CloudFront, requests', perMillion(CLOUDFRONT_PER_REQUEST), REMEMBERED],
      [
        'CloudFront, functions and KeyValueStore',
        `${perMillion(CLOUDFRONT_PER_FUNCTION_CALL)} calls and ${perMillion(CLOUDFRONT_PER_KEY_READ)} reads`,
        `calls ${READ}: others' guides; reads ${REMEMBERED}`,
      ],
      [
        'MediaConvert, basic',
        `${dollars(MEDIACONVERT_PER_OUTPUT_MINUTE.sd)} SD and ${dollars(MEDIACONVERT_PER_OUTPUT_MINUTE.hd)} HD per minute of each output`,
        `${REMEMBERED}, and others' bills agree`,
      ],
      [
        'Mux, basic, 1080p',
        `${dollars(MUX_PRICES.perStoredMinuteMonth)} per stored minute and month, ${dollars(MUX_PRICES.perDeliveredMinute)} per delivered minute, encoding free`,
        `encoding ${READ}: Mux's page; the rest ${REMEMBERED}`,
      ],
      [
        'Cloudflare Stream',
        `${dollars(CLOUDFLARE_STREAM_PRICES.perStoredMinuteMonth * 1000)} per 1,000 stored minutes and month, ${dollars(CLOUDFLARE_STREAM_PRICES.perDeliveredMinute * 1000)} per 1,000 delivered, encoding free`,
        `${READ}: Cloudflare's documentation`,
      ],
    ],
  );
}

/**
 * Medians that bench/cpu-per-rung printed; for what is for cellular lines, how it compared with 360p and with the usual sound
 * on a busier machine.
 */
const MEASURED: Readonly<Record<string, number>> = {
  decode: 0.049,
  '1080p': 0.583,
  '720p': 0.29,
  '480p': 0.149,
  '360p': 0.096,
  '234p': 0.082,
  sound: 0.018,
};

function second(): string {
  const [quick, thorough] = (['quick', 'thorough'] as const).map((effort) => {
    const { decode, rungs, sound } = cpuSecondsByPart(planOf(1, 'all', effort));
    const parts = new Map([['decode', decode], ...rungs, ['sound', sound]]);
    const total = [...parts.values()].reduce((sum, seconds) => sum + seconds, 0);
    const whole = costEstimate(planOf(1000, 'all', effort), NOTHING).computeSeconds / 1000;
    return parts.set('all at once', total).set('with starting, seeking and storing', whole);
  }) as [Map<string, number>, Map<string, number>];
  return table(
    ['of a second of 1080p30', 'quick, measured', 'quick, reckoned', 'thorough, reckoned'],
    [...quick].map(([name, seconds]) => [
      ...[name, MEASURED[name]?.toFixed(3) ?? '', seconds.toFixed(3), thorough.get(name)!.toFixed(3)],
    ]),
  );
}

const NOTHING = { sourceBytes: 0, artifactBytes: 0 };

const AMOUNTS: [string, number, number][] = [
  ['1 minute', 60, 1],
  ['1 hour', 3600, 1],
  ['1,000 hours', 3600, 1000],
];

function amounts(): string {
  return table(
    ['', 'what', ...offers(catalogue(60, 1, 1)).map(({ name }) => name)],
    AMOUNTS.flatMap(([amount, seconds, videos]) => {
      const all = offers(catalogue(seconds, videos, 1));
      const row = (what: string, of: (offer: Offer) => number) => [
        amount,
        what,
        ...all.map((one) => dollars(of(one))),
      ];
      return [
        row('prepared, once', ({ preparation }) => preparation),
        row('stored, a month', ({ storagePerMonth }) => storagePerMonth),
        row('watched, once', ({ delivery }) => delivery),
      ];
    }),
  );
}

/** What the first month of a thousand hours costs in all, by how often each is watched. */
function months(): string {
  return table(
    ['each watched', ...offers(catalogue(60, 1, 1)).map(({ name }) => name)],
    [0, 1, 10, 100].map((viewings) => [
      viewings === 0 ? 'never' : viewings === 1 ? 'once' : `${viewings} times`,
      ...offers(catalogue(3600, 1000, viewings)).map(({ preparation, storagePerMonth, delivery }) =>
        dollars(preparation + storagePerMonth + delivery),
      ),
    ]),
  );
}

function lowest(): string {
  const kinds = [
    ['all', 'thorough'],
    ['all', 'quick'],
    ['lowest', 'thorough'],
    ['lowest', 'quick'],
    ['none', 'thorough'],
  ] as const;
  const rows = kinds.map(([prewarm, effort]) => {
    const { computeSeconds, estimatedDollars } = costEstimate(planOf(3600, prewarm, effort), NOTHING);
    return [
      `\`prewarm=${prewarm}\`${effort === 'quick' ? ', `prewarmEffort=quick`' : ''}`,
      `${Math.round(computeSeconds)} s`,
      dollars(estimatedDollars.preparation),
    ];
  });
  return table(['an hour of 1080p30', 'CPU time', 'prepared'], rows);
}

interface Reckoned {
  /** Of the store, by `origin`. */
  requests: number;
  /** Of these, how many wait for one another. */
  inARow: number;
}

/** What `origin` asks the store, for a segment; a test counts it. */
export const UNKNOWN_VIDEO: Reckoned = { requests: 9, inARow: 5 };
export const UNLISTED_ARTIFACT: Reckoned = { requests: 3, inARow: 1 };
const NO_ARTIFACT: Reckoned = { requests: 0, inARow: 0 };
/** AWS: tens of milliseconds. */
const STORE_SECONDS = 0.02;
/** Of an invocation that asks for nothing. */
const INVOCATION_SECONDS = 0.01;

function refused(): string {
  const { lambdaPerRequest, lambdaPerGigabyteSecond, s3PerGet } = AWS_PRICES;
  /** CloudFront looks into the bucket, then calls the function. */
  const origin = ({ requests, inARow }: Reckoned): number => {
    const seconds = INVOCATION_SECONDS + inARow * STORE_SECONDS;
    const gigabyteSeconds = (BROKER_MEMORY_MB / 1024) * seconds;
    return (1 + requests) * s3PerGet + lambdaPerRequest + gigabyteSeconds * lambdaPerGigabyteSecond;
  };
  const checked = (reads: number) =>
    CLOUDFRONT_PER_REQUEST + CLOUDFRONT_PER_FUNCTION_CALL + reads * CLOUDFRONT_PER_KEY_READ;
  const row = (what: string, before: number, now: number) => [
    what,
    dollars(before * 1e6),
    dollars(now * 1e6),
  ];
  const unlisted = origin(UNLISTED_ARTIFACT);
  return table(
    ['a million requests for', 'without the check', 'with it'],
    [
      row(
        'segments of ids that nobody was given',
        CLOUDFRONT_PER_REQUEST + origin(UNKNOWN_VIDEO),
        checked(2),
      ),
      row('paths that no artifact has', CLOUDFRONT_PER_REQUEST + origin(NO_ARTIFACT), checked(0)),
      row(
        'segments that the plan of a video does not list, each another',
        CLOUDFRONT_PER_REQUEST + unlisted,
        checked(1) + unlisted,
      ),
      row('the same one of these, within a minute', CLOUDFRONT_PER_REQUEST + unlisted, checked(1)),
    ],
  );
}

const catalogue = (seconds: number, videos: number, viewings: number): Catalogue => ({
  plan: planOf(seconds),
  videos,
  viewings,
  sourceBitrateBps: SOURCE_BITRATE_BPS,
  viewedBitrateBps: VIEWED_BITRATE_BPS,
});

/** Of a 1080p30 source with stereo sound. */
function planOf(seconds: number, prewarm: PrewarmExtent = 'all', prewarmEffort: Effort = 'thorough'): Plan {
  const rate = { num: 30, den: 1 };
  const frames = seconds * 30;
  const video = { width: 1920, height: 1080, frames, baseFrameRate: rate, averageFrameRate: rate };
  const sizeBytes = (SOURCE_BITRATE_BPS / 8) * seconds;
  return planFor(
    probeOf({ video, audio: {} }),
    { ...SOURCE, sizeBytes },
    { maxDurationSeconds: Infinity, prewarm, prewarmEffort },
  );
}

/** Three digits that count, and cents at most above a dollar. */
function dollars(value: number): string {
  if (value === 0) return 'free';
  const decimals = value >= 100 ? 0 : value >= 1 ? 2 : 2 - Math.floor(Math.log10(value));
  const [whole, part = ''] = value.toFixed(decimals).split('.');
  const cents = part.replace(/0+$/, '').padEnd(value >= 100 ? 0 : 2, '0');
  return `$${whole!.replaceAll(/\B(?=(\d{3})+$)/g, ',')}${cents && `.${cents}`}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(COST_PAGE, withCostTables(readFileSync(COST_PAGE, 'utf8')));
}
