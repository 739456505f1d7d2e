// Where a video is watched: at an address that anybody can use, or, with protected playback, at one that holds a token.

import { notFound } from '../core/errors.ts';
import { artifactKey, cardKey, videoPrefix } from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import type { Store } from './store.ts';

/** Makes a token that opens this video until then. */
export type SignPlayback = (id: string, expiresAt: Date) => Promise<string>;

export interface PlaybackGrant {
  token: string;
  playbackUrl: string;
  /** ISO 8601, a whole second. */
  expiresAt: string;
}

export const playbackUrl = (publicBaseUrl: string, id: string, token?: string): string =>
  `${publicBaseUrl}/v/${token ? `${token}/` : ''}${id}/master.m3u8`;

/** A picture's address from the playlist's, so that it has the same token. */
export const besidePlaylist = (playlistUrl: string | null, path: string | null): string | null =>
  playlistUrl && path && new URL(path, playlistUrl).href;

/** From the playlist on; null where there is only sound. */
export const posterPath = ({ stills, rev }: Plan): string | null =>
  stills ? pathOf({ kind: 'poster', rev }) : null;
export const storyboardPath = ({ stills, rev }: Plan): string | null =>
  stills ? pathOf({ kind: 'storyboard', rev }) : null;
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
  if (!(await media.head(cardKey(id)))) throw notFound('such video');
  // A token ends with a whole second; rounded down, so that it never lives longer than was asked for.
  const expiresAt = new Date((Math.floor(now.getTime() / 1000) + expiresInSeconds) * 1000);
  const token = await signPlayback(id, expiresAt);
  return { token, playbackUrl: playbackUrl(publicBaseUrl, id, token), expiresAt: expiresAt.toISOString() };
}
