// A revision's plan as it is stored.

import * as z from 'zod';
import { REV, parseRevisionRecord, unrecordedMezzanineKey } from '../artifacts/keys.ts';
import { FORMATS } from '../formats/formats.ts';
import { EFFORTS } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { Rendition } from '../plan/renditions.ts';
import { FIRST_RECIPE } from '../recipes/first.ts';
import { recipeSchema } from '../recipes/recipe.ts';
import { MEZZANINE_REASONS } from '../source/seekability.ts';
import type { MezzanineReason } from '../source/seekability.ts';
import { noticeSchema } from './notice.ts';
import { recordKind } from './record.ts';

const count = z.int().min(0);
const fraction = z.object({ num: z.int().min(1), den: z.int().min(1) });
const size = z.object({ width: z.int().min(1), height: z.int().min(1) });
const colourTags = z.object({ matrix: z.string(), primaries: z.string(), transfer: z.string() });

const track = z.object({
  id: z.string(),
  streamIndex: count,
  language: z.string().nullable(),
  title: z.string().nullable(),
  isDefault: z.boolean(),
  isForced: z.boolean(),
});

const tracks = z.discriminatedUnion('kind', [
  track.extend(size.shape).extend({
    kind: z.literal('video'),
    decoder: z.string().optional(),
    decoded: size.optional(),
    timeBase: fraction,
    originPts: z.number(),
    leadFrames: z.int(),
    sourceFrames: z.int(),
    processing: z.object({
      turn: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]),
      mirror: z.boolean(),
      deinterlace: z.boolean(),
      colour: z.object({
        source: colourTags.extend({ isFullRange: z.boolean() }),
        conversion: z.enum(['range', 'gamut', 'tone-map']),
        output: colourTags,
      }),
    }),
  }),
  track.extend({
    kind: z.literal('audio'),
    sourceRate: z.number(),
    sourceChannels: z.number(),
    stamps: z.object({ within: count, unit: z.int().min(1).nullable() }).optional(),
    originSample: z.number(),
    startSample: z.number(),
    endSample: z.number(),
  }),
  track.extend({ kind: z.literal('text'), codec: z.string(), originSeconds: z.number() }),
]);

const rendition = z.object({
  name: z.string(),
  track: z.string(),
  format: z.string(),
  codec: z.string(),
  codecs: z.string(),
  isCellular: z.literal(true).optional(),
});

const renditions = z
  .discriminatedUnion('kind', [
    rendition
      .extend(size.shape)
      .extend({ kind: z.literal('video'), maxBitrateBps: z.number(), level: z.string() }),
    rendition.extend({
      kind: z.literal('audio'),
      sampleRate: z.number(),
      channels: z.number(),
      bitrateBps: z.number(),
    }),
    rendition.extend({ kind: z.literal('text') }),
  ])
  .refine(isKnown, 'its codec is of no format that is known by this name');

function isKnown({ format, codec, kind }: Rendition): boolean {
  const codecs = FORMATS.find(({ name }) => name === format)?.codecs ?? [];
  return codecs.some((own) => own.name === codec && own.kind === kind);
}

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
  rev: z.string().regex(new RegExp(`^${REV}$`)),
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
  tracks: z.array(tracks),
  renditions: z.array(renditions),
  stills: stills.nullable(),
  notices: z.array(noticeSchema),
  prewarm: z.array(z.string()),
  // The recipe of a plan that does not say has one effort.
  prewarmEffort: z.enum(EFFORTS).default('quick'),
}) satisfies z.ZodType<Plan>;

export const PLAN = recordKind(schema, [
  fromOnePlanPerVideo,
  fromOneTrackOfEachKind,
  withoutNotices,
  withoutCellular,
  withTablesUncounted,
]);

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

/** As of 266c94b: one picture in H.264 and MPEG-TS, one sound in packed AAC, each with its track's fields among its own. */
function fromOneTrackOfEachKind({ video, audio, ...plan }: Record<string, unknown>): Record<string, unknown> {
  const { renditions: rungs, ...picture } = (video ?? {}) as { renditions?: object[] };
  const { sampleRate, channels, bitrateBps, codecs, ...sound } = (audio ?? {}) as Record<string, unknown>;
  const undescribed = { language: null, title: null, isDefault: false, isForced: false };
  return {
    ...plan,
    tracks: [
      ...(video ? [{ kind: 'video', id: 'video-0', ...undescribed, ...picture }] : []),
      ...(audio ? [{ kind: 'audio', id: 'audio-0', ...undescribed, ...sound }] : []),
    ],
    renditions: [
      ...(rungs ?? []).map((rung) => ({
        ...{ kind: 'video', track: 'video-0', codec: 'h264', format: 'mpeg-ts' },
        ...rung,
      })),
      ...(audio
        ? [
            {
              ...{ kind: 'audio', name: 'audio-0', track: 'audio-0', codec: 'aac', format: 'packed-audio' },
              ...{ codecs, sampleRate, channels, bitrateBps },
            },
          ]
        : []),
    ],
  };
}

/** As of e50b81e: what a plan leaves out of its source was not noted, and no picture was mirrored. */
function withoutNotices(plan: Record<string, unknown>): Record<string, unknown> {
  const tracks = plan['tracks'] as { processing?: object }[] | undefined;
  return {
    ...plan,
    tracks: tracks?.map(({ processing, ...track }) => ({
      ...track,
      ...(processing ? { processing: { mirror: false, ...processing } } : {}),
    })),
    notices: [],
  };
}

/**
 * As of 6648bd6: nothing was for cellular lines. The version tells releases of before that they would give
 * such a rendition to everyone.
 */
function withoutCellular(plan: Record<string, unknown>): Record<string, unknown> {
  return plan;
}

/** As of ec5dbee: tables were not counted by segments, and ffmpeg chose all decoders. The version keeps releases of before from packing by such a recipe. */
function withTablesUncounted(plan: Record<string, unknown>): Record<string, unknown> {
  return plan;
}
