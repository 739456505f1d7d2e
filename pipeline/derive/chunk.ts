// Has a run of segments of some renditions made ahead of time, as far as they are missing. The sandbox stores them by itself,
// each once; what it says of them is held against what it was asked for.

import type { Artifact, SegmentArtifact } from '../../core/artifacts/artifact.ts';
import { artifactKey, contentHeaders } from '../../core/artifacts/artifacts.ts';
import { frameRun } from '../../core/encoding/video-graph.ts';
import { OutageError, isTimedOut } from '../../core/errors.ts';
import { valueOf } from '../../core/fraction.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { secondsSince } from '../observe.ts';
import type { SegmentReply, WriteOnce } from '../sandbox/sandbox.ts';
import type { ListedObject, Store } from '../store.ts';
import { keepArtifact, putArtifact, unlessUnplanned } from './artifacts.ts';
import type { Damaged } from './artifacts.ts';
import { noteRescue } from './lost.ts';
import type { PlannedVideo } from './planned-video.ts';

export interface WorkOptions {
  /** It gives way to what somebody waits for. */
  background?: boolean;
}

/** `partly` where time was up before all was made, and the rest, which is less than it was, is to be asked for again. */
export type ChunkOutcome = 'done' | 'partly';

/**
 * @throws OutageError, also where not all of it was made, TIMED_OUT where nothing was when time was up; as `Sandbox.run`
 *   does
 */
export async function deriveChunk(
  { id, plan, world, ask }: PlannedVideo,
  { from, to, renditions }: { from: number; to: number; renditions: readonly string[] },
  { background = false }: WorkOptions,
): Promise<ChunkOutcome> {
  const missing = new Map<string, SegmentArtifact>();
  const granted = new Map<string, WriteOnce>();
  const damaged = new Map<string, Damaged>();
  const segments = segmentsOf(plan, renditions, { from, to });
  const stored = await storedAmong(id, segments, world.media);
  for (const artifact of segments) {
    const found = stored.get(artifactKey(id, artifact));
    if (found && found.sizeBytes > 0) continue;
    const name = nameOf(artifact);
    missing.set(name, artifact);
    if (found) damaged.set(name, { etag: found.etag });
    else granted.set(name, writeOnce(id, artifact, world.media));
  }
  if (missing.size === 0) return 'done';
  // What is there of both its ends need not be made for the sake of what is between.
  const indexes = [...missing.values()].map(({ index }) => index);
  const run = { from: Math.min(...indexes), to: Math.max(...indexes) + 1 };
  const begun = new Date();
  const wanted = new Set(missing.keys());
  let sourceBytesRead = 0;
  const keep = async ({ rendition, index, rescue, made }: SegmentReply): Promise<void> => {
    const [artifact] = segmentsOf(plan, [rendition], { from: index, to: index + 1 });
    if (!artifact || index < run.from || index >= run.to) throw notWanted();
    const name = nameOf(artifact);
    const isWanted = wanted.delete(name);
    if ('outcome' in made) {
      if (!isWanted || !granted.has(name)) throw notWanted();
      return;
    }
    // Others of a run that was made in a damaged place may be stored already.
    if (!isWanted && !rescue) throw notWanted();
    await noteRescue(id, plan, { rendition, index, rescue }, world);
    await keepArtifact(id, artifact, made.bytes, plan, world, damaged.get(name));
  };
  /** What a sandbox tells is looked at before it is asked again: one that is taken over would be asked without end. */
  const isAnyStored = async () => {
    const found = await storedAmong(id, [...missing.values()], world.media);
    return [...found.values()].some(({ sizeBytes }) => sizeBytes > 0);
  };
  const unlessGone = () => unlessUnplanned(id, plan.rev, world.media);
  try {
    await ask(
      {
        ...{ kind: 'segments', ...run, effort: 'planned', returned: [...damaged.keys()] },
        renditions: [...new Set([...missing.values()].map(({ rendition }) => rendition))],
        line: background ? 'background' : 'viewers',
      },
      async (reply) => {
        if (reply.kind === 'segment') await keep(reply);
        if (reply.kind === 'read') ({ sourceBytesRead } = reply);
      },
      { segments: granted },
    );
    if (wanted.size > 0) {
      throw new OutageError('TOOL_UNAVAILABLE', `The sandbox did not make ${[...wanted].join(', ')}.`);
    }
  } catch (error) {
    const isPartly = isTimedOut(error) && wanted.size < missing.size && (await isAnyStored());
    // Also what was stored and not told any more.
    const gone = await unlessGone().then(
      () => undefined,
      (reason: unknown) => ({ reason }),
    );
    if (!isPartly) throw error;
    if (gone) throw gone.reason;
    return 'partly';
  }
  await unlessGone();
  const frames = frameRun({ plan, ...run });
  const videoSeconds = (frames.to - frames.from) / valueOf(plan.grid.frameRate);
  const seconds = secondsSince(begun);
  world.observe({ event: 'prewarmed', id, ...run, seconds, videoSeconds, sourceBytesRead });
  return 'done';
}

/** What is stored of some segments, by key: one listing for each rendition, of no more than lies between its first and last. */
async function storedAmong(
  id: string,
  segments: readonly SegmentArtifact[],
  media: Store,
): Promise<ReadonlyMap<string, ListedObject>> {
  const wanted = Map.groupBy(segments, ({ rendition }) => rendition);
  const stored = new Map<string, ListedObject>();
  await Promise.all(
    [...wanted.values()].map(async (own) => {
      // As the store sorts them: beyond index 99,999 that is not by their number.
      const keys = own.map((artifact) => artifactKey(id, artifact)).sort();
      const [first, last] = [keys[0]!, keys.at(-1)!];
      const folder = first.slice(0, first.lastIndexOf('/') + 1);
      for await (const object of media.list(folder, first.slice(0, -1))) {
        if (object.key > last) break;
        stored.set(object.key, object);
      }
    }),
  );
  return stored;
}

const nameOf = ({ rendition, index }: SegmentArtifact): string => `${rendition}/${index}`;

const notWanted = (): OutageError =>
  new OutageError('TOOL_UNAVAILABLE', 'The sandbox made what it was not asked for.');

function writeOnce(id: string, artifact: Artifact, media: Store): WriteOnce {
  const key = artifactKey(id, artifact);
  return {
    put: (bytes) => putArtifact(key, artifact, bytes, { media }),
    link: () => media.writeLink(key, contentHeaders(artifact)),
  };
}
