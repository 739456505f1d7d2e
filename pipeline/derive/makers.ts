// How each kind of artifact of a revision comes about: what follows from the plan alone is written here, and what is made
// of the source is asked of the sandbox.

import type { Artifact, ArtifactOf } from '../../core/artifacts/artifact.ts';
import { OutageError, notFound } from '../../core/errors.ts';
import { renditionNamed } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Rendition } from '../../core/plan/renditions.ts';
import { storyboardTrack } from '../../core/plan/stills.ts';
import { mediaPlaylist } from '../../core/playlists/playlists.ts';
import type { LostPart } from '../../core/records/lost.ts';
import type { PlannedVideo, VideoTask } from './planned-video.ts';

/** What lies below one revision's URL. */
export type RevisionArtifact = Exclude<Artifact, { kind: 'multivariant' }> & { rev: string };

export interface Made {
  bytes: Uint8Array;
  sourceBytesRead: number;
  /** Of a segment, where the source is damaged. */
  rescue?: LostPart['rescue'] | undefined;
}

/** @param leave when nobody wants it any more */
type Maker<Kind extends RevisionArtifact['kind']> = (
  artifact: ArtifactOf<Kind>,
  video: PlannedVideo,
  leave: AbortSignal,
) => Promise<Made>;

const MAKERS: { [Kind in RevisionArtifact['kind']]: Maker<Kind> } = {
  playlist: async ({ rendition }, { plan }) => written(mediaPlaylist(plan, named(plan, rendition))),
  storyboard: async (_, { plan }) => written(storyboardTrack(plan.grid, plan.stills!, '')),
  init: ({ rendition }, video, leave) => asked({ kind: 'init', rendition }, video, leave),
  segment: ({ rendition, index }, video, leave) =>
    asked(
      {
        ...{ kind: 'segments', renditions: [rendition], from: index, to: index + 1 },
        ...{ effort: 'quick', line: 'viewers' },
      },
      video,
      leave,
    ),
  poster: still,
  thumb: still,
  sheet: still,
};

export const makeArtifact = (
  artifact: RevisionArtifact,
  video: PlannedVideo,
  leave: AbortSignal,
): Promise<Made> =>
  // Of its own kind, which a table of kinds cannot tell the compiler.
  (MAKERS[artifact.kind] as Maker<RevisionArtifact['kind']>)(artifact, video, leave);

const written = (text: string): Made => ({ bytes: Buffer.from(text), sourceBytesRead: 0 });

function still(
  artifact: ArtifactOf<'poster' | 'thumb' | 'sheet'>,
  video: PlannedVideo,
  leave: AbortSignal,
): Promise<Made> {
  return asked({ kind: 'still', still: artifact }, video, leave);
}

/** The one thing that such a task makes. */
async function asked(task: VideoTask, video: PlannedVideo, leave: AbortSignal): Promise<Made> {
  let made: Omit<Made, 'sourceBytesRead'> | undefined;
  let sourceBytesRead = 0;
  await video.ask(
    task,
    (reply) => {
      if (reply.kind === 'bytes') made = { bytes: reply.bytes };
      if (reply.kind === 'segment' && 'bytes' in reply.made) {
        made = { bytes: reply.made.bytes, rescue: reply.rescue };
      }
      if (reply.kind === 'read') ({ sourceBytesRead } = reply);
    },
    { leave },
  );
  if (!made) throw new OutageError('TOOL_UNAVAILABLE', `The sandbox made nothing of a task of ${task.kind}.`);
  return { ...made, sourceBytesRead };
}

function named(plan: Plan, name: string): Rendition {
  const rendition = renditionNamed(plan, name);
  if (!rendition) throw notFound('such rendition');
  return rendition;
}
