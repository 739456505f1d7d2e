// How each kind of artifact of a revision is made.

import type { Artifact, ArtifactOf } from '../../core/artifacts/artifact.ts';
import { notFound } from '../../core/errors.ts';
import { renditionNamed } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Rendition } from '../../core/plan/renditions.ts';
import { storyboardTrack } from '../../core/plan/stills.ts';
import { mediaPlaylist } from '../../core/playlists/playlists.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import type { EncodeTools } from '../world.ts';
import { encode, encodeInit } from './encode.ts';
import type { EncodedSegment } from './encode.ts';
import { makeStill } from './still.ts';

/** What lies below one revision's URL. */
export type RevisionArtifact = Exclude<Artifact, { kind: 'multivariant' }> & { rev: string };

/** What making one takes. */
export interface Making {
  plan: Plan;
  tools: EncodeTools;
  /** When nobody wants it any more. */
  leave: AbortSignal;
  /** Serves the source for as long as it is used. */
  withSource<T>(use: (served: ServedSource) => Promise<T>): Promise<T>;
  /** Told of each segment that was made. */
  rescued(segment: Pick<EncodedSegment, 'rendition' | 'index' | 'rescue'>): void;
}

export interface Made {
  bytes: Uint8Array;
  sourceBytesRead: number;
}

type Maker<Kind extends RevisionArtifact['kind']> = (
  artifact: ArtifactOf<Kind>,
  making: Making,
) => Promise<Made>;

const MAKERS: { [Kind in RevisionArtifact['kind']]: Maker<Kind> } = {
  playlist: async ({ rendition }, { plan }) => written(mediaPlaylist(plan, named(plan, rendition))),
  storyboard: async (_, { plan }) => written(storyboardTrack(plan.grid, plan.stills!, '')),
  init: ({ rendition }, { plan, tools, leave, withSource }) =>
    withSource(async ({ url, readBytes, failure: sourceFailure }) => {
      const job = { plan, rendition: named(plan, rendition), sourceUrl: url };
      const bytes = await encodeInit(job, tools, { sourceFailure, leave });
      return { bytes, sourceBytesRead: readBytes() };
    }),
  segment: ({ rendition, index }, { plan, tools, leave, withSource, rescued }) =>
    withSource(async ({ url, readBytes, failure: sourceFailure }) => {
      const job = { plan, renditions: [rendition], from: index, to: index + 1, sourceUrl: url };
      for await (const { bytes, ...segment } of encode(job, tools, { sourceFailure, leave })) {
        rescued(segment);
        return { bytes, sourceBytesRead: readBytes() };
      }
      throw new Error(`segment ${index} of ${rendition}: nothing was encoded`);
    }),
  poster: still,
  thumb: still,
  sheet: still,
};

export const makeArtifact = (artifact: RevisionArtifact, making: Making): Promise<Made> =>
  // Of its own kind, which a table of kinds cannot tell the compiler.
  (MAKERS[artifact.kind] as Maker<RevisionArtifact['kind']>)(artifact, making);

const written = (text: string): Made => ({ bytes: Buffer.from(text), sourceBytesRead: 0 });

function still(
  artifact: ArtifactOf<'poster' | 'thumb' | 'sheet'>,
  { plan, tools, leave, withSource }: Making,
): Promise<Made> {
  return withSource(async (served) => {
    const bytes = await makeStill(plan, plan.stills!, artifact, served, tools, leave);
    return { bytes, sourceBytesRead: served.readBytes() };
  });
}

function named(plan: Plan, name: string): Rendition {
  const rendition = renditionNamed(plan, name);
  if (!rendition) throw notFound('such rendition');
  return rendition;
}
