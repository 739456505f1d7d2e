// Makes any artifact of a video and stores it once. The just-in-time path asks for one; prewarm for a chunk of segments,
// or for all pictures of the storyboard.

import { OutageError, RequestError, UnlistedError, isTimedOut, notFound } from '../../core/errors.ts';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey, isListed } from '../../core/artifacts/artifacts.ts';
import { cardKey } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { mainTrack } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Work } from '../../core/records/work.ts';
import { initsOf } from '../../core/plan/segments.ts';
import { STORING_SECONDS, TELLING_SECONDS } from '../../core/work/deadlines.ts';
import { prewarmedStills } from '../../core/work/work.ts';
import { keepArtifact, storedArtifact } from './artifacts.ts';
import type { Damaged } from './artifacts.ts';
import { deriveChunk } from './chunk.ts';
import type { ChunkOutcome, WorkOptions } from './chunk.ts';
import { finishIfWhole, isLate } from '../life/finish.ts';
import { keepLasting, makeLasting } from './lasting.ts';
import type { LastingArtifact } from './lasting.ts';
import { logFailure, secondsSince } from '../observe.ts';
import { currentPlan } from '../life/planning.ts';
import { foreseenSegment } from './foreseen.ts';
import { plannedVideo } from './planned-video.ts';
import type { PlannedVideo } from './planned-video.ts';
import { planOf as storedPlan } from '../revisions/revisions.ts';
import { noteRescue } from './lost.ts';
import { makeArtifact } from './makers.ts';
import type { Made, RevisionArtifact } from './makers.ts';
import { singleFlight } from './single-flight.ts';
import type { World } from '../world.ts';

interface Derived {
  bytes: Uint8Array;
  /** Rather than found in the store. */
  isMade?: true;
  /** Why it is not stored, where it is not. */
  notKept?: OutageError;
}

const deriving = singleFlight<Derived>();
const lookingIfLate = singleFlight<boolean>();

/**
 * One artifact's bytes: the stored ones, or made now. They are complete in the store before they are returned, unless
 * the store cannot take them: what can be made is shown even then.
 * @param leave when the caller no longer wants it: what waits for its turn then, or has hardly begun, is given up
 * @throws RequestError NOT_FOUND for what the plan does not list, or where the video is deleted meanwhile; SourceError
 *   where the source is refused; OutageError; RecordError
 */
export async function derive(
  id: string,
  artifact: Artifact,
  world: World,
  leave?: AbortSignal,
): Promise<Uint8Array> {
  const find = async () => plannedVideo(id, await planOf(id, artifact, world), world);
  return (await derived({ id, world, find }, artifact, leave)).bytes;
}

/** The same of a video whose plan is in hand; of an artifact without a revision, whose current plan it is. */
export async function deriveOf(video: PlannedVideo, artifact: Artifact): Promise<Uint8Array> {
  return (await derived(inHand(video), artifact)).bytes;
}

/** A video, and how its plan is found where it is needed. */
interface Wanted {
  id: string;
  world: World;
  find(): Promise<PlannedVideo>;
}

const inHand = (video: PlannedVideo): Wanted => ({ ...video, find: () => Promise.resolve(video) });

function derived(wanted: Wanted, artifact: Artifact, leave?: AbortSignal): Promise<Derived> {
  const { id, world } = wanted;
  const make = (abandoned: AbortSignal) =>
    unlessDeletedMeanwhile(id, world, () => storedOrMade(wanted, artifact, abandoned));
  return deriving(artifactKey(id, artifact), make, leave);
}

async function storedOrMade(
  { id, world, find }: Wanted,
  artifact: Artifact,
  abandoned: AbortSignal,
): Promise<Derived> {
  // Who asks here has mostly asked the store before, in vain: so the plan is fetched beside it. (What has no revision may
  // have to be planned first, which nobody should wait for who asks for something that is there.)
  let found = isLasting(artifact) ? undefined : find();
  found?.catch(() => undefined); // looked at below, unless it is stored
  const finding = () => (found ??= find());
  const stored = await storedArtifact(id, artifact, async () => (await finding()).plan, world);
  if (stored !== 'absent' && 'bytes' in stored) return stored;
  const damaged = stored === 'absent' ? undefined : stored.damaged;
  const video = await finding();
  if (isLasting(artifact)) {
    const { plan } = video;
    const own = async (still: Artifact) => (await derived(inHand(video), still, abandoned)).bytes;
    const bytes = await makeLasting(id, artifact, plan, world, own);
    return kept(id, keepLasting(id, artifact, bytes, plan, world, damaged), bytes);
  }
  return madeNow(video, artifact as RevisionArtifact, { abandoned, damaged });
}

const isLasting = (artifact: Artifact): artifact is LastingArtifact =>
  artifact.kind === 'multivariant' || artifact.rev === CURRENT;

async function madeNow(
  video: PlannedVideo,
  artifact: RevisionArtifact,
  { abandoned, damaged }: { abandoned: AbortSignal; damaged: Damaged | undefined },
): Promise<Derived> {
  const { id, plan, world } = video;
  if (!isListed(plan, artifact)) throw new UnlistedError();
  const begun = new Date();
  const late = lookingIfLate(id, () => isLate(id, world)).catch(() => false);
  const foreseen = artifact.kind === 'segment' ? await foreseenSegment(id, artifact) : undefined;
  // What was foreseen has been read together with what was needed for the plan.
  const made: Made = foreseen
    ? { ...foreseen, sourceBytesRead: 0 }
    : await makeArtifact(artifact, video, abandoned);
  const { bytes, rescue, sourceBytesRead } = made;
  const { kind } = artifact;
  const key = artifactKey(id, artifact);
  world.observe({ event: 'derived', id, key, kind, seconds: secondsSince(begun), sourceBytesRead });
  const keep = async () => {
    if (artifact.kind === 'segment') await noteRescue(id, plan, { ...artifact, rescue }, world);
    return keepArtifact(id, artifact, bytes, plan, world, damaged);
  };
  const result = await kept(id, keep(), bytes);
  // Whoever should have completed the video may have given up on this very piece; or has measured what was damaged.
  if (!result.notKept && (damaged || (await late))) {
    await finishIfWhole(id, plan.rev, world, new Date()).catch((error: unknown) => logFailure(id, error));
  }
  return result;
}

/** Shows what was made where the store is full or away; it is made again when it is next asked for. */
async function kept(id: string, keeping: Promise<Uint8Array>, made: Uint8Array): Promise<Derived> {
  try {
    return { bytes: await keeping, isMade: true };
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

/**
 * The plan that an artifact is of. A video that is not planned yet may be planned as just this. One that was deleted has its
 * plan until it can no longer be had back.
 * @throws RequestError NOT_FOUND
 */
async function planOf(id: string, artifact: Artifact, world: World): Promise<Plan> {
  const [plan, card] = await Promise.all([planIfThere(id, artifact, world), world.media.head(cardKey(id))]);
  if (!card) throw notFound('such video');
  return plan;
}

async function planIfThere(id: string, artifact: Artifact, world: World): Promise<Plan> {
  if (isLasting(artifact)) return currentPlan(id, world);
  const { rev } = artifact as RevisionArtifact;
  const stored = await storedPlan(id, rev, world.media);
  if (stored) return stored;
  const plan = await currentPlan(id, world);
  if (plan.rev !== rev) throw notFound('such revision');
  return plan;
}

/**
 * Does one item of a work list, unless all of it is there.
 * @returns `partly` where time was up, the world's or ffmpeg's, before all of it was made: the rest is to be asked for again
 * @throws RequestError NOT_FOUND where the video was deleted meanwhile; OutageError, also where the store cannot take it,
 *   and TIMED_OUT where nothing of it was made in time
 */
export function deriveWork(item: Work, world: World, options: WorkOptions = {}): Promise<ChunkOutcome> {
  return unlessDeletedMeanwhile(item.id, world, () => doWork(item, world, options));
}

async function doWork({ id, rev, what }: Work, world: World, options: WorkOptions): Promise<ChunkOutcome> {
  const [plan, card] = await Promise.all([storedPlan(id, rev, world.media), world.media.head(cardKey(id))]);
  if (!plan || !card) throw notFound('such revision');
  if (what.kind === 'stills') {
    const thumbs = what.thumbs.map((seconds) => ({ kind: 'thumb' as const, rev, seconds }));
    return keepAll(plannedVideo(id, plan, endingEarlier(world)), [...prewarmedStills(plan), ...thumbs]);
  }
  const { from, to, renditions } = what;
  const names = renditions ?? plan.prewarm;
  const video = plannedVideo(id, plan, world);
  const outcome = await deriveChunk(video, { from, to, renditions: names }, options);
  return outcome === 'done' && from === 0 ? keepAll(video, initsOf(plan, names)) : outcome;
}

/** Ahead of time nobody waits for a picture: it ends when chunks do, so that those who make both can go on together. */
function endingEarlier(world: World): World {
  const { secondsLeft } = world;
  return secondsLeft
    ? { ...world, secondsLeft: () => secondsLeft() - (STORING_SECONDS - TELLING_SECONDS) }
    : world;
}

/** One after the other. @throws OutageError where the store cannot take one, and TIMED_OUT where none was made in time */
async function keepAll(video: PlannedVideo, artifacts: readonly Artifact[]): Promise<ChunkOutcome> {
  let made = 0;
  for (const artifact of artifacts) {
    try {
      const { notKept, isMade } = await derived(inHand(video), artifact);
      if (notKept) throw notKept;
      if (isMade) made += 1;
    } catch (error) {
      if (isTimedOut(error) && made > 0) return 'partly';
      throw error;
    }
  }
  return 'done';
}

/**
 * Missing pictures are noticed where they are encoded; sound that cannot be decoded is silence, so it is looked for.
 * @throws SourceError DAMAGED where there is no picture and nothing of the sound can be decoded.
 */
export async function refuseSoundless({ plan, ask }: PlannedVideo): Promise<void> {
  if (!mainTrack(plan, 'video')) await ask({ kind: 'search' }, () => undefined);
}
