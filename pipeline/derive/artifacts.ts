// Artifacts in the store: read whole or not at all, written once, and replaced where they are damaged, as everything
// can be made again.

import { OutageError, notFound } from '../../core/errors.ts';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { contentHeaders } from '../../core/artifacts/artifacts.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { isWholeArtifact } from '../../core/artifacts/artifacts.ts';
import { requestCleanup, unlessDeleted } from '../life/cleanup.ts';
import { logFailure } from '../observe.ts';
import { isPlanned } from '../revisions/revisions.ts';
import type { Store, TaggedObject } from '../store.ts';
import type { World } from '../world.ts';

type Media = Pick<World, 'media'>;

/** What has an artifact's key and is not the artifact. */
export interface Damaged {
  /** Undefined where it could not be read. */
  etag: string | undefined;
}

export type Found = { bytes: Uint8Array } | { damaged: Damaged } | 'absent';

/**
 * An artifact as it is stored. What cannot be read whole, though it was tried several times, counts as damaged: making
 * it again harms nothing.
 * @param planOfIt asked for only where nothing else says how much there has to be of it
 */
export async function storedArtifact(
  id: string,
  artifact: Artifact,
  planOfIt: () => Promise<Plan>,
  { media }: Media,
): Promise<Found> {
  let found: TaggedObject | undefined;
  try {
    found = await media.getTagged(artifactKey(id, artifact));
  } catch (error) {
    if (!(error instanceof OutageError)) throw error;
    logFailure(id, error);
    return { damaged: { etag: undefined } };
  }
  if (!found) return 'absent';
  const { bytes, etag, isProven } = found;
  if (bytes.length > 0 && isProven) return { bytes };
  return isWholeArtifact(await planOfIt(), artifact, bytes) ? { bytes } : { damaged: { etag } };
}

/** The bytes of one that is there and whole. */
export async function wholeArtifact(
  id: string,
  artifact: Artifact,
  plan: Plan,
  world: Media,
): Promise<Uint8Array | undefined> {
  const found = await storedArtifact(id, artifact, () => Promise.resolve(plan), world);
  return found !== 'absent' && 'bytes' in found ? found.bytes : undefined;
}

/**
 * Stores an artifact of a revision unless another was faster, and returns the one that counts.
 * @param damaged what it replaces
 * @throws RequestError NOT_FOUND where the video, or the revision, is no more; OutageError
 */
export async function keepArtifact(
  id: string,
  artifact: Artifact & { rev: string },
  made: Uint8Array,
  plan: Plan,
  { media }: Media,
  damaged?: Damaged,
): Promise<Uint8Array> {
  const key = artifactKey(id, artifact);
  const outcome = await putArtifact(key, artifact, made, { media }, damaged);
  await unlessUnplanned(id, artifact.rev, media);
  // A deleted video has its plan for a while, but no playlist.
  if (artifact.kind === 'playlist') await unlessDeleted(id, { media });
  if (outcome === 'stored') return made;
  return (await wholeArtifact(id, artifact, plan, { media })) ?? made;
}

/**
 * For whoever has just stored something of a revision. Where that is no more, what was stored goes as well: the janitor
 * and the sweep remove the plan before they look for what there is, so either they find it, or this finds the plan gone.
 * @throws RequestError NOT_FOUND where the video, or the revision, is no more
 */
export async function unlessUnplanned(id: string, rev: string, media: Store): Promise<void> {
  if (await isPlanned(id, rev, media)) return;
  await requestCleanup(id, { media });
  throw notFound('such video');
}

export async function putArtifact(
  key: string,
  artifact: Artifact,
  made: Uint8Array,
  { media }: Media,
  damaged?: Damaged,
): Promise<'stored' | 'exists'> {
  const headers = contentHeaders(artifact);
  if (!damaged) return media.put(key, made, { ...headers, ifAbsent: true });
  const etag = damaged.etag ?? (await media.head(key))?.etag;
  return media.put(key, made, {
    ...headers,
    ...(etag === undefined ? { ifAbsent: true } : { ifMatch: etag }),
  });
}
