// A revision's plan as it is stored.

import * as z from 'zod';
import { parseRevisionRecord, unrecordedMezzanineKey } from '../artifacts/keys.ts';
import type { Plan } from '../plan/plan.ts';
import { FIRST_RECIPE } from '../recipes/first.ts';
import { recipeSchema } from '../recipes/recipe.ts';
import { MEZZANINE_REASONS } from '../source/seekability.ts';
import type { MezzanineReason } from '../source/seekability.ts';
import { recordKind } from './record.ts';

const count = z.int().min(0);
const fraction = z.object({ num: z.int().min(1), den: z.int().min(1) });
const size = z.object({ width: z.int().min(1), height: z.int().min(1) });
const colourTags = z.object({ matrix: z.string(), primaries: z.string(), transfer: z.string() });

const video = size.extend({
  streamIndex: count,
  timeBase: fraction,
  originPts: z.number(),
  leadFrames: z.int(),
  sourceFrames: z.int(),
  processing: z.object({
    turn: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]),
    deinterlace: z.boolean(),
    colour: z.object({
      source: colourTags.extend({ isFullRange: z.boolean() }),
      conversion: z.enum(['range', 'gamut', 'tone-map']),
      output: colourTags,
    }),
  }),
  renditions: z.array(
    size.extend({ name: z.string(), maxBitrateBps: z.number(), level: z.string(), codecs: z.string() }),
  ),
});

const audio = z.object({
  name: z.literal('audio-0'),
  streamIndex: count,
  sourceRate: z.number(),
  sampleRate: z.number(),
  sourceChannels: z.number(),
  channels: z.number(),
  bitrateBps: z.number(),
  codecs: z.string(),
  originSample: z.number(),
  startSample: z.number(),
  endSample: z.number(),
});

const stills = z.object({
  intervalSeconds: z.number().min(1),
  count: z.int().min(1),
  keyframesOnly: z.boolean(),
  poster: size,
  thumb: size,
  tile: size,
  columns: z.int().min(1),
  rows: z.int().min(1),
});

const schema = z.object({
  rev: z.string().regex(/^[0-9a-f]{10}$/),
  recipe: recipeSchema,
  source: z.object({
    kind: z.enum(['upload', 'mezzanine']),
    key: z.string().optional(),
    reason: z.enum(Object.keys(MEZZANINE_REASONS) as [MezzanineReason]).optional(),
    sizeBytes: z.number(),
    etag: z.string().optional(),
    keyframeSeconds: z.number(),
  }),
  grid: z.object({
    frameRate: fraction,
    frameCount: z.int().min(1),
    gopFrames: z.int().min(1),
    segmentFrames: z.int().min(1),
  }),
  video: video.nullable(),
  audio: audio.nullable(),
  stills: stills.nullable(),
  prewarm: z.array(z.string()),
}) satisfies z.ZodType<Plan>;

export const PLAN = recordKind(schema, [fromOnePlanPerVideo]);

/** As of 8e3bc33: the recipe was in the code, and where a copy lies followed from its source's ETag, once it had one. */
function fromOnePlanPerVideo(plan: Record<string, unknown>, key: string): Record<string, unknown> {
  const source = plan['source'] as { kind?: string; etag?: string } | undefined;
  const id = parseRevisionRecord(key)?.id ?? '';
  const copy = unrecordedMezzanineKey(id, source?.etag);
  const audio = plan['audio'] as { channels?: number } | null | undefined;
  return {
    ...plan,
    // Before commit 0e6b344 the number of the source's channels was not asked for.
    audio: audio && { sourceChannels: audio.channels, ...audio },
    recipe: FIRST_RECIPE,
    source: source?.kind === 'mezzanine' ? { ...source, key: copy } : source,
  };
}
