// Recordings of recipes (test/fixtures/recipes): what a release made by one, kept for ever.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withRangeServer } from '../../machine/range-server.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { renditionNames } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Probe } from '../../core/source/probe.ts';
import type { Recipe } from '../../core/recipes/recipe.ts';
import { encodeArguments } from '../../core/encoding/segment-arguments.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { blankStillArguments, stillArguments } from '../../core/encoding/still-arguments.ts';
import { encode } from '../../pipeline/encode/encode.ts';
import type { EncodeTools } from '../../pipeline/world.ts';
import { fileSource } from './media.ts';
import type { Job } from './recipe-videos.ts';
import { continuityFacts, pictureFacts, soundFacts } from './segment-facts.ts';

export interface Recording {
  /** As it was then: a later release may keep its arguments in another form. */
  recipe: Recipe;
  videos: {
    title: string;
    /** As it was stored. */
    plan: Record<string, unknown>;
    made: { job: Job; arguments: string[] }[];
  }[];
  /** Segments of a real source, each alone and all in a run. */
  segments: {
    source: string[];
    plan: Record<string, unknown>;
    alone: SegmentFacts;
    inRun: SegmentFacts;
  };
}

/** By rendition. */
export type SegmentFacts = Record<
  string,
  | { pictures: ReturnType<typeof pictureFacts>[]; continuity: ReturnType<typeof continuityFacts> | null }
  | { sound: ReturnType<typeof soundFacts>[] }
>;

export const RECORDINGS = join(import.meta.dirname, '../fixtures/recipes');

/** How sources are copied, by the key of the copy. */
export const COPIES = join(import.meta.dirname, '../fixtures/copies.json');

export const copies = (): Record<string, { title: string; probe: Probe; arguments: string[] }[]> =>
  JSON.parse(readFileSync(COPIES, 'utf8')) as ReturnType<typeof copies>;

export const recordedNames = (): string[] =>
  readdirSync(RECORDINGS).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);

export const recordingOf = (name: string): Recording =>
  JSON.parse(readFileSync(join(RECORDINGS, `${name}.json`), 'utf8')) as Recording;

export const SOURCE_URL = 'http://127.0.0.1/source';
export const DIRECTORY = '/encoding';

export function argumentsOf(plan: Plan, job: Job): string[] {
  const stills = plan.stills!;
  switch (job.kind) {
    case 'segments': {
      const { from, to, rescue, effort = 'quick', renditions = renditionNames(plan) } = job;
      const place = { sourceUrl: SOURCE_URL, directory: DIRECTORY };
      const own = { plan, renditions, from, to, effort, ...place, ...(rescue ? { rescue } : {}) };
      return withOneGraph(encodeArguments(own, DEFAULT_LIMITS));
    }
    case 'still': {
      const { still, prerollSeconds } = job;
      const preroll = prerollSeconds ?? Infinity;
      return stillArguments({ plan, stills, still, sourceUrl: SOURCE_URL, prerollSeconds: preroll });
    }
    case 'blank still':
      return blankStillArguments({ plan, stills, still: job.still });
  }
}

/** Up to commit 8a3d51b all tracks shared one graph, in which they had nothing to do with each other. */
function withOneGraph(args: readonly string[]): string[] {
  const isGraph = (at: number): boolean => args[at - 1] === '-filter_complex';
  const [first, ...others] = args.flatMap((_, at) => (isGraph(at) ? [at] : []));
  if (first === undefined || others.length === 0) return [...args];
  return args
    .map((text, at) => (at === first ? [first, ...others].map((graph) => args[graph]).join(';') : text))
    .filter((_, at) => !others.includes(at) && !others.includes(at + 1));
}

/** Makes all segments of a file and says what they are like. */
export async function segmentFactsOf(
  file: string,
  plan: Plan,
  how: 'alone' | 'inRun',
  tools: EncodeTools,
): Promise<SegmentFacts> {
  const count = segmentCount(plan.grid);
  const names = renditionNames(plan);
  const jobs =
    how === 'inRun'
      ? [{ renditions: names, from: 0, to: count }]
      : names.flatMap((name) =>
          Array.from({ length: count }, (_, from) => ({ renditions: [name], from, to: from + 1 })),
        );
  const segments = new Map<string, Uint8Array[]>(names.map((name) => [name, []]));
  await withRangeServer(await fileSource(file), async ({ url: sourceUrl }) => {
    for (const job of jobs) {
      for await (const { rendition, bytes } of encode({ plan, sourceUrl, ...job }, tools)) {
        segments.get(rendition)!.push(bytes);
      }
    }
  });
  const isContinuous = plan.recipe.transportStream.packing.kind === 'continuous';
  return factsOf(segments, { isContinuous });
}

export const factsOf = (
  segments: ReadonlyMap<string, Uint8Array[]>,
  { isContinuous }: { isContinuous: boolean },
): SegmentFacts =>
  Object.fromEntries(
    [...segments].map(([name, made]) => [
      name,
      name.startsWith('audio-')
        ? { sound: made.map(soundFacts) }
        : { pictures: made.map(pictureFacts), continuity: isContinuous ? continuityFacts(made) : null },
    ]),
  );

/** A line for each job and each segment: as long as they are, they can be compared. */
export function recordingText({ recipe, videos, segments }: Recording): string {
  const video = ({ title, plan, made }: Recording['videos'][number]) =>
    `{ "title": ${JSON.stringify(title)},\n"plan": ${JSON.stringify(plan)},\n"made": ${lines(made)} }`;
  const facts = (how: 'alone' | 'inRun') =>
    `"${how}": ${JSON.stringify(segments[how]).replaceAll('{"frames"', '\n{"frames"')}`;
  return [
    `{ "recipe": ${JSON.stringify(recipe, null, 1)},`,
    `"videos": [\n${videos.map(video).join(',\n')}\n],`,
    `"segments": { "source": ${JSON.stringify(segments.source)},`,
    `"plan": ${JSON.stringify(segments.plan)},`,
    `${facts('alone')},`,
    `${facts('inRun')} } }`,
    '',
  ].join('\n');
}

export const copiesText = (byKey: ReturnType<typeof copies>): string =>
  `{\n${Object.entries(byKey)
    .map(([key, made]) => `"${key}": ${lines(made)}`)
    .join(',\n')}\n}\n`;

const lines = (values: readonly unknown[]): string =>
  `[\n${values.map((value) => JSON.stringify(value)).join(',\n')}\n]`;
