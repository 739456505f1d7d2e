// Which recipes the revisions of videos are of, and what they take.

import { notFound } from '../../core/errors.ts';
import { revisionErrorKey } from '../../core/artifacts/keys.ts';
import { ERROR } from '../../core/records/error.ts';
import type { StoredError } from '../../core/records/error.ts';
import { planOf, readyMarkerOf, revisionsOf, storedArtifacts } from './revisions.ts';
import { readRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

type Role = 'current' | 'next' | 'former';

/** How many revisions are of a recipe, by what they are to their videos, and the bytes of all of them. */
export interface RecipeCount extends Record<Role, number> {
  recipe: string;
  storedBytes: number;
}

export interface VideoRevisions {
  id: string;
  revisions: {
    rev: string;
    recipe: string;
    role: Role;
    /** Whether everything that is to be made ahead of time exists. */
    isReady: boolean;
    storedBytes: number;
    /** Of a former one, when it will be swept; null until the current one holds everything that it held. */
    graceEndsAt?: string | null;
    /** Why a next one could not be completed. */
    error?: StoredError;
  }[];
}

/** Adds a video's revisions to the counts. Returns false for one that is not planned. @throws RecordError */
export async function addVideo(
  id: string,
  recipes: Map<string, RecipeCount>,
  { media }: Pick<World, 'media'>,
): Promise<boolean> {
  const revisions = await revisionsIn(id, media);
  for (const { rev, role } of revisions) {
    const recipe = (await planOf(id, rev, media))?.recipe.name;
    if (recipe === undefined) continue;
    const count = recipes.get(recipe) ?? { recipe, current: 0, next: 0, former: 0, storedBytes: 0 };
    count[role] += 1;
    count.storedBytes += await bytesOf(id, rev, media);
    recipes.set(recipe, count);
  }
  return revisions.length > 0;
}

/** @throws RequestError NOT_FOUND for a video that is not planned; RecordError */
export async function recipesOfVideo(
  id: string,
  { media }: Pick<World, 'media'>,
  graceSeconds: number,
): Promise<VideoRevisions> {
  const found = await revisionsIn(id, media);
  if (found.length === 0) throw notFound('such planned video');
  const revisions: VideoRevisions['revisions'] = [];
  for (const { rev, role, graceFrom } of found) {
    const plan = await planOf(id, rev, media);
    const error = await readRecord(media, ERROR, revisionErrorKey(id, rev));
    revisions.push({
      ...{ rev, recipe: plan?.recipe.name ?? '', role },
      isReady: Boolean(await readyMarkerOf(id, rev, media)),
      storedBytes: await bytesOf(id, rev, media),
      ...(role === 'former' ? { graceEndsAt: graceFrom && endOf(graceFrom, graceSeconds) } : {}),
      ...(error ? { error } : {}),
    });
  }
  return { id, revisions };
}

const endOf = (graceFrom: string, graceSeconds: number): string =>
  new Date(Date.parse(graceFrom) + graceSeconds * 1000).toISOString();

async function revisionsIn(
  id: string,
  media: Store,
): Promise<{ rev: string; role: Role; graceFrom: string | null }[]> {
  const revisions = await revisionsOf(id, media);
  if (!revisions) return [];
  const { current, next, former } = revisions;
  return [
    { rev: current, role: 'current', graceFrom: null },
    ...(next ? [{ rev: next.rev, role: 'next' as const, graceFrom: null }] : []),
    ...former.map(({ rev, graceFrom }) => ({ rev, role: 'former' as const, graceFrom })),
  ];
}

async function bytesOf(id: string, rev: string, media: Store): Promise<number> {
  const stored = await storedArtifacts(id, rev, media);
  return stored.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
