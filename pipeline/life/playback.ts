// Where a video is watched: at an address that anybody can use, or, with protected playback, at one that holds a token.

import { notFound } from '../../core/errors.ts';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import { cardKey, videoPrefix } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { currentPlanOf } from '../revisions/revisions.ts';
import type { Store } from '../store.ts';

/** Makes a token that opens this video until then. */
export type SignPlayback = (id: string, expiresAt: Date) => Promise<string>;

export interface PlaybackGrant {
  token: string;
  playbackUrl: string;
  /** As in the video's state, but with the token. */
  posterUrl: string | null;
  storyboardUrl: string | null;
  /** ISO 8601, a whole second. */
  expiresAt: string;
}

export const playbackUrl = (publicBaseUrl: string, id: string, token?: string): string =>
  `${publicBaseUrl}/v/${token ? `${token}/` : ''}${id}/master.m3u8`;

/** A picture's address from the playlist's, so that it has the same token. */
export const besidePlaylist = (playlistUrl: string | null, path: string | null): string | null =>
  playlistUrl && path && playlistUrl.replace(/[^/]*$/, path);

/** From the playlist on, and good whatever the revision; null where there is only sound. */
export const posterPath = ({ stills }: Plan): string | null =>
  stills ? pathOf({ kind: 'poster', rev: CURRENT }) : null;
export const storyboardPath = ({ stills }: Plan): string | null =>
  stills ? pathOf({ kind: 'storyboard', rev: CURRENT }) : null;
const pathOf = (artifact: Artifact): string => artifactKey('', artifact).slice(videoPrefix('').length);

/** @throws RequestError NOT_FOUND for an id that was never given out, or whose video was deleted. */
export async function grantPlayback(
  id: string,
  { expiresInSeconds }: { expiresInSeconds: number },
  {
    media,
    signPlayback,
    publicBaseUrl,
    now,
  }: { media: Store; signPlayback: SignPlayback; publicBaseUrl: string; now: Date },
): Promise<PlaybackGrant> {
  const [card, plan] = await Promise.all([media.head(cardKey(id)), currentPlanOf(id, media)]);
  if (!card) throw notFound('such video');
  // A token ends with a whole second; rounded down, so that it never lives longer than was asked for.
  const expiresAt = new Date((Math.floor(now.getTime() / 1000) + expiresInSeconds) * 1000);
  const token = await signPlayback(id, expiresAt);
  const url = playbackUrl(publicBaseUrl, id, token);
  return {
    token,
    playbackUrl: url,
    posterUrl: plan ? besidePlaylist(url, posterPath(plan)) : null,
    storyboardUrl: plan ? besidePlaylist(url, storyboardPath(plan)) : null,
    expiresAt: expiresAt.toISOString(),
  };
}
