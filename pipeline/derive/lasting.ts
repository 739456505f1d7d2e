// Artifacts whose address does not name a revision: the multivariant playlist, and copies of the current revision's
// pictures. They are all that is rewritten below a video's URL, when another revision becomes the current one.

import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey, parseArtifactKey } from '../../core/artifacts/artifacts.ts';
import { cardKey, videoPrefix } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { SETTLED, SHORT_LIVED, contentHeaders } from '../../core/artifacts/artifacts.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { multivariantPlaylist } from '../../core/playlists/playlists.ts';
import type { Bitrates } from '../../core/playlists/playlists.ts';
import { UnlistedError, notFound } from '../../core/errors.ts';
import { storyboardTrack } from '../../core/plan/stills.ts';
import { thumbSecondsAt } from '../../core/plan/succession.ts';
import { requestCleanup, unlessDeleted } from '../life/cleanup.ts';
import { putArtifact, wholeArtifact } from './artifacts.ts';
import type { Damaged } from './artifacts.ts';
import { currentPlanOf, planOf, readyMarkerOf, revisionsOf } from '../revisions/revisions.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

export type LastingArtifact =
  | { kind: 'multivariant' }
  | { kind: 'poster'; rev: typeof CURRENT }
  | { kind: 'thumb'; rev: typeof CURRENT; seconds: number }
  | { kind: 'storyboard'; rev: typeof CURRENT };

/**
 * Makes one of the plan that is the current one.
 * @param deriveOwn the bytes of a picture of the revision itself
 * @throws RequestError NOT_FOUND for a picture of a film without any, or of a moment that no thumbnail is made of
 */
export async function makeLasting(
  id: string,
  artifact: LastingArtifact,
  plan: Plan,
  { media }: Pick<World, 'media'>,
  deriveOwn: (artifact: Artifact) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const text = await textOf(id, artifact, plan, media);
  return text ?? deriveOwn({ ...artifact, rev: plan.rev } as Artifact);
}

/**
 * Stores one unless another was faster, and returns the one that counts.
 * @param plan what it was made of
 * @param damaged what it replaces
 * @throws RequestError NOT_FOUND where the video is no more; OutageError
 */
export async function keepLasting(
  id: string,
  artifact: LastingArtifact,
  bytes: Uint8Array,
  plan: Plan,
  { media }: Pick<World, 'media'>,
  damaged: Damaged | undefined,
): Promise<Uint8Array> {
  const key = artifactKey(id, artifact);
  const outcome = await putArtifact(key, artifact, bytes, { media }, damaged);
  const revisions = await revisionsOf(id, media);
  if (!revisions) {
    await requestCleanup(id, { media });
    throw notFound('such video');
  }
  await unlessDeleted(id, { media });
  // Whoever made another revision the current one either finds this and rewrites it, or is found here.
  if (revisions.current !== plan.rev) await rewriteLasting(id, media);
  if (outcome === 'stored') return bytes;
  return (await wholeArtifact(id, artifact, plan, { media })) ?? bytes;
}

/** What follows from the plan alone. */
async function textOf(
  id: string,
  artifact: LastingArtifact,
  plan: Plan,
  media: Store,
): Promise<Uint8Array | undefined> {
  switch (artifact.kind) {
    case 'multivariant': {
      const ready = await readyMarkerOf(id, plan.rev, media);
      return Buffer.from(multivariantPlaylist(plan, ready?.bitrates));
    }
    case 'storyboard':
      if (!plan.stills) throw new UnlistedError();
      return Buffer.from(storyboardTrack(plan.grid, plan.stills, `${plan.rev}/`));
    case 'poster':
    case 'thumb':
      return undefined;
  }
}

/**
 * After the current revision has changed, or was measured: all that is stored is written anew, of whichever is current
 * then.
 * @param measured bit rates of a revision whose ready marker is still to be written
 */
export async function rewriteLasting(
  id: string,
  media: Store,
  measured?: { rev: string; bitrates: Record<string, Bitrates> },
): Promise<void> {
  for (;;) {
    const current = (await revisionsOf(id, media))?.current;
    const plan = current && (await planOf(id, current, media));
    if (!plan) return;
    const bitrates =
      measured?.rev === plan.rev ? measured.bitrates : (await readyMarkerOf(id, plan.rev, media))?.bitrates;
    const multivariant = { kind: 'multivariant' } as const;
    await media.put(artifactKey(id, multivariant), multivariantPlaylist(plan, bitrates), {
      contentType: contentHeaders(multivariant).contentType,
      cacheControl: bitrates ? SETTLED : SHORT_LIVED,
    });
    for (const artifact of await storedPictures(id, media)) {
      const key = artifactKey(id, artifact);
      const bytes = await pictureOf(id, artifact, plan, media);
      // What the revision has not made yet is made when it is asked for.
      await (bytes ? media.put(key, bytes, contentHeaders(artifact)) : media.delete([key]));
    }
    const after = await revisionsOf(id, media);
    if (after && after.current !== current) continue;
    // Deleted meanwhile: whoever did it has not seen this.
    if (!after || !(await media.head(cardKey(id)))) await requestCleanup(id, { media });
    return;
  }
}

async function storedPictures(id: string, media: Store): Promise<LastingArtifact[]> {
  const found: LastingArtifact[] = [];
  for (const name of ['poster.jpg', 'storyboard.vtt', 'thumb/']) {
    for await (const { key } of media.list(videoPrefix(id) + name)) {
      const artifact = parseArtifactKey(key)?.artifact;
      if (artifact) found.push(artifact as LastingArtifact);
    }
  }
  return found;
}

async function pictureOf(
  id: string,
  artifact: LastingArtifact,
  plan: Plan,
  media: Store,
): Promise<Uint8Array | undefined> {
  const { rev, stills } = plan;
  if (!stills) return undefined;
  switch (artifact.kind) {
    // What is not there, or damaged, is made when it is asked for.
    case 'poster':
      return wholeArtifact(id, { kind: 'poster', rev }, plan, { media });
    case 'thumb': {
      const seconds = thumbSecondsAt(artifact.seconds, stills);
      return wholeArtifact(id, { kind: 'thumb', rev, seconds }, plan, { media });
    }
    default:
      return textOf(id, artifact, plan, media);
  }
}

/**
 * Where a picture is now whose address named a revision that is no more, or a moment that no thumbnail is made of any
 * more: relative to that address, so that it keeps a playback token. Undefined where it has not moved.
 */
export async function newPlaceOf(id: string, artifact: Artifact, media: Store): Promise<string | undefined> {
  if (artifact.kind === 'multivariant' || artifact.kind === 'playlist' || artifact.kind === 'segment') {
    return undefined;
  }
  const plan = await currentPlanOf(id, media);
  if (!plan?.stills) return undefined;
  const isOfRevision = artifact.rev !== CURRENT;
  if (isOfRevision && (await planOf(id, artifact.rev, media))) return undefined;
  switch (artifact.kind) {
    case 'poster':
      return isOfRevision ? '../poster.jpg' : undefined;
    case 'storyboard':
      return isOfRevision ? '../storyboard.vtt' : undefined;
    case 'sheet':
      return `../../${plan.rev}/storyboard/${artifact.index}.jpg`;
    case 'thumb': {
      const seconds = thumbSecondsAt(artifact.seconds, plan.stills);
      if (isOfRevision) return `../../thumb/${seconds}.jpg`;
      return seconds === artifact.seconds ? undefined : `${seconds}.jpg`;
    }
  }
}
