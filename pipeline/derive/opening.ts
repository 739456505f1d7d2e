// What is made of a revision before its list of work is begun: the opening, which a player asks for first, and all media
// playlists, which cost nothing but to be written.

import { RequestError, SourceError } from '../../core/errors.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { initsOf, segmentsOf } from '../../core/plan/segments.ts';
import { logFailure } from '../observe.ts';
import { deriveOf, refuseSoundless } from './derive.ts';
import type { PlannedVideo } from './planned-video.ts';

/**
 * The multivariant playlist, and of the first variant and the sound the playlist and the first segment.
 * @returns what went wrong, where it is to be tried again
 * @throws SourceError; RequestError NOT_FOUND where the video, or the revision, is no more
 */
export const deriveOpening = (video: PlannedVideo): Promise<Error | undefined> =>
  allOf([...openingOf(video.plan).map((artifact) => deriveOf(video, artifact)), refuseSoundless(video)]).then(
    () => undefined,
    leftToPrewarm(video.id),
  );

function openingOf(plan: Plan): Artifact[] {
  const names = openingRenditions(plan).map(({ name }) => name);
  return [
    { kind: 'multivariant' },
    ...names.map((rendition) => playlistOf(plan, rendition)),
    ...initsOf(plan, names),
    ...segmentsOf(plan, names, { from: 0, to: 1 }),
  ];
}

/**
 * The media playlists of all renditions: what is stored is delivered compressed, and what a function answers is not. Viewers
 * go on without, as a function writes what they ask for.
 * @returns and throws as `deriveOpening` does
 */
export const derivePlaylists = (video: PlannedVideo): Promise<Error | undefined> =>
  allOf(video.plan.renditions.map(({ name }) => deriveOf(video, playlistOf(video.plan, name)))).then(
    () => undefined,
    leftToPrewarm(video.id),
  );

const playlistOf = ({ rev }: Plan, rendition: string): Artifact => ({ kind: 'playlist', rev, rendition });

/** The prewarm tries it again, and makes it visible if it cannot be done. */
export const leftToPrewarm =
  (id: string) =>
  (error: unknown): Error => {
    if (error instanceof SourceError || error instanceof RequestError) throw error;
    logFailure(id, error);
    return error as Error;
  };

/** Where one finds that the source is to be refused, the others find the video gone: the refusal is what counts. */
async function allOf(parts: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(parts)).filter((part) => part.status === 'rejected');
  const refusal = failed.find(({ reason }) => reason instanceof SourceError) ?? failed[0];
  if (refusal) throw refusal.reason;
}
