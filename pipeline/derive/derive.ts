// Makes any artifact of a video and stores it once. The just-in-time path asks for one; prewarm for a chunk of segments,
// or for all pictures of the storyboard.

import { withRangeServer } from '../../machine/range-server.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { OutageError, RequestError, SourceError, notFound } from '../../core/errors.ts';
import { valueOf } from '../../core/fraction.ts';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey, isListed } from '../../core/artifacts/artifacts.ts';
import { cardKey } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { mainTrack } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Work } from '../../core/records/work.ts';
import { frameRun } from '../../core/encoding/video-graph.ts';
import { initsOf, segmentsOf } from '../../core/plan/segments.ts';
import { prewarmedStills } from '../../core/work/work.ts';
import { keepArtifact, storedArtifact } from './artifacts.ts';
import type { Damaged } from './artifacts.ts';
import { encode } from './encode.ts';
import type { EncodeOptions, EncodedSegment } from './encode.ts';
import { finishIfWhole, isLate } from '../life/finish.ts';
import { keepLasting, makeLasting } from './lasting.ts';
import type { LastingArtifact } from './lasting.ts';
import { logFailure, secondsSince } from '../observe.ts';
import { currentPlan, refuse, sourceOf } from '../life/planning.ts';
import { planOf, revisionsOf } from '../revisions/revisions.ts';
import { makeArtifact } from './makers.ts';
import type { RevisionArtifact } from './makers.ts';
import { singleFlight } from './single-flight.ts';
import { refuseUndecodable } from '../source/undecodable.ts';
import type { World } from '../world.ts';

interface Derived {
  bytes: Uint8Array;
  /** Why it is not stored, where it is not. */
  notKept?: OutageError;
}

const deriving = singleFlight<Derived>();

/**
 * One artifact's bytes: the stored ones, or made now. They are complete in the store before they are returned, unless
 * the store cannot take them: what can be made is shown even then.
 * @param leave when the caller no longer wants it; what is being made then is brought to its end, what waits for its
 *   turn is not
 * @throws RequestError NOT_FOUND for what the plan does not list, or where the video is deleted meanwhile; SourceError
 *   where the source is refused; OutageError; RecordError
 */
export async function derive(
  id: string,
  artifact: Artifact,
  world: World,
  leave?: AbortSignal,
): Promise<Uint8Array> {
  return (await derived(id, artifact, world, leave)).bytes;
}

function derived(id: string, artifact: Artifact, world: World, leave?: AbortSignal): Promise<Derived> {
  const make = (abandoned: AbortSignal) =>
    unlessDeletedMeanwhile(id, world, () => storedOrMade(id, artifact, world, abandoned));
  return deriving(artifactKey(id, artifact), make, leave);
}

async function storedOrMade(
  id: string,
  artifact: Artifact,
  world: World,
  abandoned: AbortSignal,
): Promise<Derived> {
  const isLasting = artifact.kind === 'multivariant' || artifact.rev === CURRENT;
  const planOfIt = () =>
    isLasting ? currentPlan(id, world) : planOfRevision(id, (artifact as RevisionArtifact).rev, world);
  const stored = await storedArtifact(id, artifact, planOfIt, world);
  if (stored !== 'absent' && 'bytes' in stored) return stored;
  const damaged = stored === 'absent' ? undefined : stored.damaged;
  const plan = await planOfIt();
  if (isLasting) {
    const lasting = artifact as LastingArtifact;
    const bytes = await makeLasting(id, lasting, plan, world, (own) => derive(id, own, world, abandoned));
    return kept(id, keepLasting(id, lasting, bytes, plan, world, damaged), bytes);
  }
  return madeNow(id, plan, artifact as RevisionArtifact, world, { abandoned, damaged });
}

async function madeNow(
  id: string,
  plan: Plan,
  artifact: RevisionArtifact,
  world: World,
  { abandoned, damaged }: { abandoned: AbortSignal; damaged: Damaged | undefined },
): Promise<Derived> {
  if (!isListed(plan, artifact)) throw notFound('such artifact');
  const begun = new Date();
  const late = isLate(id, world).catch(() => false);
  const { bytes, sourceBytesRead } = await makeArtifact(artifact, {
    plan,
    tools: world.tools,
    leave: abandoned,
    withSource: (use) => withSource(id, plan, world, use),
    rescued: (segment) => observeRescue(id, segment, world),
  });
  const { kind } = artifact;
  const key = artifactKey(id, artifact);
  world.observe({ event: 'derived', id, key, kind, seconds: secondsSince(begun), sourceBytesRead });
  const result = await kept(id, keepArtifact(id, artifact, bytes, plan, world, damaged), bytes);
  // Whoever should have completed the video may have given up on this very piece; or has measured what was damaged.
  if (!result.notKept && (damaged || (await late))) {
    await finishIfWhole(id, plan.rev, world, new Date()).catch((error: unknown) => logFailure(id, error));
  }
  return result;
}

/** Shows what was made where the store is full or away; it is made again when it is next asked for. */
async function kept(id: string, keeping: Promise<Uint8Array>, made: Uint8Array): Promise<Derived> {
  try {
    return { bytes: await keeping };
  } catch (error) {
    if (!(error instanceof OutageError)) throw error;
    logFailure(id, error);
    return { bytes: made, notKept: error };
  }
}

/** What fails because its video was deleted under it has failed for no other reason. */
async function unlessDeletedMeanwhile<T>(id: string, { media }: World, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RequestError) throw error;
    const isThere = await media.head(cardKey(id)).catch(() => 'unknown');
    throw isThere ? error : notFound('such video');
  }
}

/** A video that is not planned yet may be planned as just this. @throws RequestError NOT_FOUND */
async function planOfRevision(id: string, rev: string, world: World): Promise<Plan> {
  const stored = await planOf(id, rev, world.media);
  if (stored) return stored;
  const plan = await currentPlan(id, world);
  if (plan.rev !== rev) throw notFound('such revision');
  return plan;
}

/**
 * Does one item of a work list, unless all of it is there.
 * @throws RequestError NOT_FOUND where the video was deleted meanwhile; OutageError, also where the store cannot take it
 */
export function deriveWork(item: Work, world: World, options: EncodeOptions = {}): Promise<void> {
  return unlessDeletedMeanwhile(item.id, world, () => doWork(item, world, options));
}

async function doWork({ id, rev, what }: Work, world: World, options: EncodeOptions): Promise<void> {
  const plan = await planOf(id, rev, world.media);
  if (!plan) throw notFound('such revision');
  if (what.kind === 'stills') {
    const thumbs = what.thumbs.map((seconds) => ({ kind: 'thumb' as const, rev, seconds }));
    for (const artifact of [...prewarmedStills(plan), ...thumbs]) {
      const { notKept } = await derived(id, artifact, world);
      if (notKept) throw notKept;
    }
  } else {
    const { from, to, renditions } = what;
    const names = renditions ?? plan.prewarm;
    await deriveChunk(id, plan, { from, to, renditions: names }, world, options);
    for (const artifact of from === 0 ? initsOf(plan, names) : []) {
      const { notKept } = await derived(id, artifact, world);
      if (notKept) throw notKept;
    }
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
  const damaged = new Map<string, Damaged>();
  for (const artifact of segmentsOf(plan, [...renditions], { from, to })) {
    const key = artifactKey(id, artifact);
    const found = await world.media.head(key);
    if (found && found.sizeBytes > 0) continue;
    missing.add(artifact.rendition);
    if (found) damaged.set(key, { etag: found.etag });
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
        const artifact = { kind: 'segment' as const, rev: plan.rev, ...segment };
        await keepArtifact(id, artifact, bytes, plan, world, damaged.get(artifactKey(id, artifact)));
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
  if (mainTrack(plan, 'video')) return;
  await withSource(id, plan, world, ({ url }) => refuseUndecodable(plan, url, world.tools));
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
