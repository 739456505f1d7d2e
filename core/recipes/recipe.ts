// A recipe: the arguments that make a video's bytes, as data. Every plan carries its own, so a revision goes on being
// made the way it was begun, whatever later code would do.
//
// Not in it: how a source is read (where decoding begins, what is whitelisted), which changes no frame.

import * as z from 'zod';
import type { TransportPacking } from '../formats/transport-stream/packed-segment.ts';

/** In a template, `{name}` stands for a value that the plan or the job knows. */
const template = z.string();
const templates = z.array(template);

/** Strict: what this code does not know would make other bytes under the same address. */
export const recipeSchema = z.strictObject({
  /** For operators, who count videos by it. Any change of what is below takes a new name. */
  name: z.string(),
  /** Added to all time stamps, as with B-frames the first DTS lies before the first PTS and must not be negative. */
  timestampOffsetSeconds: z.number(),
  /** Filters for pictures, of segments and of stills. */
  picture: z.strictObject({
    deinterlace: template,
    /** Wide gamut into BT.709. `{width}`, `{height}`, and what zscale is told of the `{source}`. */
    gamut: templates,
    /** High dynamic range into BT.709; the same values. */
    toneMap: templates,
    /** `{width}`, `{height}` and, where numbers have to be moved into limited range, `{range}`. */
    scale: template,
    pixelFormat: template,
    /**
     * For pictures that change their size in mid-stream; recipes 1 and 2 have none, and begin their filters anew there. Filters
     * that need one size are given it by `same`. `fitted` takes the place of other scaling. `{width}` and `{height}` of the
     * frame, `{decodedWidth}` and `{decodedHeight}` that the plan knows the source by, further `{options}` of the scaling.
     */
    changes: z.strictObject({ same: template, fitted: templates }).optional(),
  }),
  h264: z.strictObject({
    /** `{level}`, `{maxBitrateBps}`, `{gopFrames}`, `{matrix}`, `{primaries}`, `{transfer}` */
    encoder: templates,
    /**
     * The same values, for what is made ahead of time: fewer bits for the same picture, and more time. Recipes up to the fourth
     * have none. Its segments and those of `encoder` are mixed, so both name the same parameter sets.
     */
    thoroughEncoder: templates.optional(),
    /** Of the rendition for cellular lines, the same values; recipes up to the third have none, and no such rendition. */
    cellularEncoder: templates.optional(),
    /**
     * How many frames this encoder decodes ahead: two with a pyramid of B-frames, which takes at least two of them in a
     * row; one without.
     */
    framesAhead: z.number(),
  }),
  transportStream: z.strictObject({
    /** Options of every muxer. */
    timing: z.array(z.string()),
    /** Options of the MPEG-TS muxer by name, as it is used alone or by the segment muxer. `{offsetSeconds}` */
    options: z.record(z.string(), template),
    packing: z.discriminatedUnion('kind', [
      /** As ffmpeg's muxer wrote it. */
      z.strictObject({ kind: z.literal('as-muxed') }),
      /** Packed anew; core/formats/transport-stream/packed-segment.ts explains the values. */
      z.strictObject({
        kind: z.literal('continuous'),
        tables: z.number(),
        pcrLeadTicks: z.number(),
        mostPcrTicks: z.number(),
      }) satisfies z.ZodType<TransportPacking>,
    ]),
  }),
  aac: z.strictObject({
    /** `{bitrateBps}` */
    encoder: templates,
    /** The filter that makes mono of stereo for cellular lines; recipes up to the third have none. */
    cellularMix: template.optional(),
    /** Options of aresample that fill what is missing. */
    gaps: template,
    /**
     * For sound that changes its channels or its rate in mid-stream, and for stamps that are not exact; recipes 1 and 2 have
     * none, and begin their filters anew there. `rate` brings what begins at another rate to `{sourceRate}`, `level` what
     * changes to that and to one `{layout}`. `stamps` are the terms of an expression of asetpts that tells where a frame
     * belongs: `{origin}`, `{start}`, `{within}` and `{unit}` of the track, in source samples, and `{sourceRate}`.
     */
    changes: z.strictObject({ rate: template, level: templates, stamps: templates }).optional(),
    /** Frames encoded around a run and dropped: the SNR at a seam equals its neighbourhood only with both. */
    contextFrames: z.number(),
    /** Frames that the encoder puts before the first of ours. */
    primingFrames: z.number(),
  }),
  stills: z.strictObject({
    encoder: templates,
    /** JPEG's scale runs from 2, the best, to 31. */
    quality: z.strictObject({ poster: z.string(), thumb: z.string(), sheet: z.string() }),
    /** `{width}`, `{height}`, `{source}`: what is known of the source's colours. */
    scale: template,
    pixelFormat: template,
    poster: z.strictObject({
      /** The share of the film after which it is looked for, and the latest moment. */
      at: z.number(),
      atMostSeconds: z.number(),
      /** So many pictures are compared, so many a second. */
      candidates: z.number(),
      candidatesRate: z.strictObject({ num: z.number(), den: z.number() }),
      /** `{candidates}` */
      choice: template,
    }),
  }),
});

export type Recipe = z.infer<typeof recipeSchema>;

/** @throws Error for a name without a value: a recipe that asks for what this code does not know must not be guessed at. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new Error(`The recipe asks for {${name}} in "${text}", which is not known.`);
    return String(value);
  });
}

export const fillAll = (
  texts: readonly string[],
  values: Readonly<Record<string, string | number>>,
): string[] => texts.map((text) => fill(text, values));
