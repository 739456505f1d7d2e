// Makes any artifact of a video and stores it once. The just-in-time path asks for one; prewarm for a chunk of segments,
// or for all pictures of the storyboard.

import { withRangeServer } from '../adapters/range-server.ts';
import type { ServedSource } from '../adapters/range-server.ts';
import { SourceError, notFound } from '../core/errors.ts';
import { valueOf } from '../core/fraction.ts';
import { CURRENT, artifactKey } from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import { contentHeaders } from '../core/media-types.ts';
import { renditionNames } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { mediaPlaylist } from '../core/playlists.ts';
import type { Work } from '../core/records/work.ts';
import { frameRun } from '../core/segment-arguments.ts';
import { segmentCount, segmentsOf } from '../core/segments.ts';
import { sheetCount, storyboardTrack } from '../core/stills.ts';
import { prewarmedStills } from '../core/work.ts';
import { encode } from './encode.ts';
import type { EncodeOptions, EncodedSegment } from './encode.ts';
import { deriveLasting } from './lasting.ts';
import type { LastingArtifact } from './lasting.ts';
import { secondsSince } from './observe.ts';
import { currentPlan, refuse, sourceOf } from './planning.ts';
import { isPlanned, planOf, revisionsOf } from './revisions.ts';
import { singleFlight } from './single-flight.ts';
import { makeStill } from './still.ts';
import { refuseUndecodable } from './undecodable.ts';
import type { World } from './world.ts';

const deriving = singleFlight<Uint8Array>();

/** What lies below one revision's URL. */
type RevisionArtifact = Exclude<Artifact, { kind: 'multivariant' }> & { rev: string };

/**
 * One artifact's bytes: the stored ones, or made now. They are complete in the store before they are returned.
 * @throws RequestError NOT_FOUND for what the plan does not list; SourceError where the source is refused; RecordError
 */
export function derive(id: string, artifact: Artifact, world: World): Promise<Uint8Array> {
  const key = artifactKey(id, artifact);
  return deriving(key, async () => {
    const stored = await world.media.get(key);
    if (stored) return stored;
    if (artifact.kind === 'multivariant' || artifact.rev === CURRENT) {
      return deriveLasting(id, artifact as LastingArtifact, await currentPlan(id, world), world, (own) =>
        derive(id, own, world),
      );
    }
    const plan = await planOfRevision(id, artifact.rev, world);
    if (!lists(plan, artifact)) throw notFound('such artifact');
    const begun = new Date();
    const { bytes, sourceBytesRead } = await make(id, plan, artifact, world);
    const kept = await keep(id, artifact, bytes, world);
    const { kind } = artifact;
    world.observe({ event: 'derived', id, key, kind, seconds: secondsSince(begun), sourceBytesRead });
    return kept;
  });
}

/** A video that is not planned yet may be planned as just this. @throws RequestError NOT_FOUND */
async function planOfRevision(id: string, rev: string, world: World): Promise<Plan> {
  const stored = await planOf(id, rev, world.media);
  if (stored) return stored;
  const plan = await currentPlan(id, world);
  if (plan.rev !== rev) throw notFound('such revision');
  return plan;
}

/** Does one item of a work list, unless all of it is there. */
export async function deriveWork(
  { id, rev, what }: Work,
  world: World,
  options: EncodeOptions = {},
): Promise<void> {
  const plan = await planOf(id, rev, world.media);
  if (!plan) throw notFound('such revision');
  if (what.kind === 'stills') {
    const thumbs = what.thumbs.map((seconds) => ({ kind: 'thumb' as const, rev, seconds }));
    for (const artifact of [...prewarmedStills(plan), ...thumbs]) await derive(id, artifact, world);
  } else {
    const { from, to, renditions } = what;
    await deriveChunk(id, plan, { from, to, renditions: renditions ?? plan.prewarm }, world, options);
  }
}

async function deriveChunk(
  id: string,
  plan: Plan,
  { from, to, renditions }: { from: number; to: number; renditions: readonly string[] },
  world: World,
  options: EncodeOptions,
): Promise<void> {
  const missing = new Set<string>();
  for (const artifact of segmentsOf(plan, [...renditions], { from, to })) {
    if (!(await world.media.head(artifactKey(id, artifact)))) missing.add(artifact.rendition);
  }
  if (missing.size === 0) return;
  const begun = new Date();
  const sourceBytesRead = await withSource(
    id,
    plan,
    world,
    async ({ url, readBytes, failure: sourceFailure }) => {
      const job = { plan, renditions: [...missing], from, to, sourceUrl: url };
      for await (const { bytes, rescue, ...segment } of encode(job, world.tools, {
        ...options,
        sourceFailure,
      })) {
        await keep(id, { kind: 'segment', rev: plan.rev, ...segment }, bytes, world);
        observeRescue(id, { ...segment, rescue }, world);
      }
      return readBytes();
    },
  );
  const frames = frameRun({ plan, from, to });
  const videoSeconds = (frames.to - frames.from) / valueOf(plan.grid.frameRate);
  const seconds = secondsSince(begun);
  world.observe({ event: 'prewarmed', id, from, to, seconds, videoSeconds, sourceBytesRead });
}

/**
 * Missing pictures are noticed where they are encoded; sound that cannot be decoded is silence, so it is looked for.
 * @throws SourceError DAMAGED where there is no picture and nothing of the sound can be decoded.
 */
export async function refuseSoundless(id: string, plan: Plan, world: World): Promise<void> {
  if (plan.video) return;
  await withSource(id, plan, world, ({ url }) => refuseUndecodable(plan, url, world.tools));
}

/** A URL can only name what the plan lists: the cost of abuse is bounded by one full encode. */
function lists(plan: Plan, artifact: RevisionArtifact): boolean {
  const { stills } = plan;
  switch (artifact.kind) {
    case 'playlist':
      return renditionNames(plan).includes(artifact.rendition);
    case 'segment': {
      const extension = artifact.rendition === plan.audio?.name ? 'aac' : 'ts';
      return (
        renditionNames(plan).includes(artifact.rendition) &&
        artifact.extension === extension &&
        artifact.index < segmentCount(plan.grid)
      );
    }
    case 'poster':
    case 'storyboard':
      return Boolean(stills);
    case 'thumb':
      return Boolean(
        stills &&
        artifact.seconds % stills.intervalSeconds === 0 &&
        artifact.seconds / stills.intervalSeconds < stills.count,
      );
    case 'sheet':
      return Boolean(stills && artifact.index < sheetCount(stills));
  }
}

interface Made {
  bytes: Uint8Array;
  sourceBytesRead: number;
}

async function make(id: string, plan: Plan, artifact: RevisionArtifact, world: World): Promise<Made> {
  switch (artifact.kind) {
    case 'playlist':
      return { bytes: Buffer.from(mediaPlaylist(plan, artifact.rendition)), sourceBytesRead: 0 };
    case 'segment':
      return withSource(id, plan, world, async ({ url, readBytes, failure: sourceFailure }) => {
        const { rendition, index } = artifact;
        const job = { plan, renditions: [rendition], from: index, to: index + 1, sourceUrl: url };
        for await (const { bytes, ...segment } of encode(job, world.tools, { sourceFailure })) {
          observeRescue(id, segment, world);
          return { bytes, sourceBytesRead: readBytes() };
        }
        throw new Error(`segment ${index} of ${rendition}: nothing was encoded`);
      });
    case 'storyboard':
      return { bytes: Buffer.from(storyboardTrack(plan, plan.stills!, '')), sourceBytesRead: 0 };
    case 'poster':
    case 'thumb':
    case 'sheet':
      return withSource(id, plan, world, async ({ url, readBytes }) => {
        const bytes = await makeStill(plan, plan.stills!, artifact, url, world.tools);
        return { bytes, sourceBytesRead: readBytes() };
      });
  }
}

/**
 * A source that turns out to be damaged beyond use is refused, though it has a plan; but not where another plan of it has
 * been good enough.
 */
async function withSource<T>(
  id: string,
  plan: Plan,
  world: World,
  use: (served: ServedSource) => Promise<T>,
): Promise<T> {
  try {
    return await withRangeServer(sourceOf(id, plan.source, world), use);
  } catch (error) {
    if (error instanceof SourceError && (await isOnlyRevision(id, plan.rev, world))) {
      await refuse(id, error, world);
    }
    throw error;
  }
}

async function isOnlyRevision(id: string, rev: string, { media }: World): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  return revisions?.current === rev && !revisions.next && revisions.former.length === 0;
}

function observeRescue(
  id: string,
  { rendition, index, rescue }: Pick<EncodedSegment, 'rendition' | 'index' | 'rescue'>,
  world: World,
): void {
  if (rescue) world.observe({ event: 'rescued', id, rendition, index, rescue });
}

/** Stores an artifact unless another was faster, and returns the one that counts. */
async function keep(
  id: string,
  artifact: RevisionArtifact,
  made: Uint8Array,
  world: World,
): Promise<Uint8Array> {
  const key = artifactKey(id, artifact);
  const outcome = await world.media.put(key, made, { ...contentHeaders(artifact), ifAbsent: true });
  // A deletion removes the plan first and then what it finds stored: either it finds this, or we find the plan gone. So
  // does the sweep of a revision.
  if (!(await isPlanned(id, artifact.rev, world.media))) {
    await world.media.delete([key]);
    throw notFound('such video');
  }
  return outcome === 'stored' ? made : ((await world.media.get(key)) ?? made);
}
