// The HTTP interface, as the page sees it. Types come from the code that answers, so the two cannot drift apart.

import { UNKNOWN_TYPE } from '../core/access/media-type.ts';
import { DEFAULT_PAGE } from '../core/limits.ts';
import type { GrantedUpload } from '../pipeline/uploads/sign-upload.ts';
import type { PlaybackGrant } from '../pipeline/life/playback.ts';
import type { VideoStatus } from '../pipeline/life/video-status.ts';
import { ApiError, patiently, request } from './request.ts';

export type Video = VideoStatus;

/** How often the pages ask how far a video is. */
export const POLL_MS = 1000;

export interface Config {
  /** Only a server on one's own machine gives its key away. */
  apiKey?: string;
  /** What one signs in with: the key, or a token of the JWT issuer. */
  signIn: 'key' | 'token';
  testClip: boolean;
}

export interface Granted {
  id: string;
  playbackUrl: string | null;
  /** Below it parts are sent. */
  uploadUrl: string;
  /** One request for the whole file; null where that is too large for one. */
  upload: GrantedUpload | null;
}

export interface Part {
  PartNumber: number;
  ETag: string;
}

/** How an upload is called once it has begun. */
export interface BegunUpload {
  key: string;
  uploadId: string;
}

/** An upload in parts, as the holder of an upload token can steer it. */
export interface PartsApi {
  begin(file: { name: string; type: string }): Promise<BegunUpload>;
  /** Where to PUT a part of just this size. */
  sign(upload: BegunUpload, partNumber: number, sizeBytes: number): Promise<string>;
  list(upload: BegunUpload): Promise<(Part & { Size: number })[]>;
  complete(upload: BegunUpload, parts: readonly Part[]): Promise<void>;
}

export interface VideoPage {
  videos: Video[];
  nextCursor?: string;
}

export interface Api {
  config(): Promise<Config>;
  health(): Promise<unknown>;
  /** The browser keeps the credential from now on. Rejects with an ApiError, `isKeyRefused`, for a wrong one. */
  signIn(credential: string): Promise<void>;
  signOut(): Promise<void>;
  grantUpload(file: { filename: string; contentType: string; sizeBytes: number }): Promise<Granted>;
  /** A new address to send parts to, where the one before has ended. */
  renewUpload(id: string): Promise<Pick<Granted, 'uploadUrl'>>;
  makeTestClip(): Promise<Pick<Granted, 'id' | 'playbackUrl'>>;
  video(id: string): Promise<Video>;
  /** With protected playback, an address that plays for some hours. */
  grantPlayback(id: string): Promise<PlaybackGrant>;
  videos(cursor: string | undefined): Promise<VideoPage>;
  deleteVideo(id: string): Promise<void>;
}

/**
 * Every call rejects with ServerGone or ApiError; one that is harmless to repeat, only after it was tried again. Without
 * an `apiKey`, which is asked for at each call, a cookie counts.
 */
export function httpApi(apiKey: () => string | undefined): Api {
  const call = <T>(method: string, path: string, body?: object): Promise<T> =>
    request<T>(method, path, apiKey(), body);
  const again = <T>(method: string, path: string): Promise<T> => patiently(() => call<T>(method, path));
  return {
    config: () => again('GET', '/config.json'),
    health: () => call('GET', '/api/health'),
    signIn: (credential) => request('POST', '/api/session', credential),
    signOut: () => again('DELETE', '/api/session'),
    grantUpload: (file) => call('POST', '/api/uploads', file),
    renewUpload: (id) => call('POST', `/api/uploads/${id}/tokens`),
    makeTestClip: () => call('POST', '/local/test-clip'),
    video: (id) => again('GET', `/api/videos/${id}`),
    grantPlayback: (id) => again('POST', `/api/videos/${id}/tokens`),
    videos: (cursor) => again('GET', `/api/videos?limit=${DEFAULT_PAGE}${cursor ? `&cursor=${cursor}` : ''}`),
    deleteVideo: (id) => again('DELETE', `/api/videos/${id}`),
  };
}

/**
 * The routes below an upload's address. Where its token has ended, `renew` is asked for another address, once for each
 * time that happens.
 */
export function partsApi(uploadUrl: string, renew: () => Promise<string>): PartsApi {
  let current = Promise.resolve(uploadUrl);
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const used = current;
    const at = async (url: Promise<string>) => request<T>(method, `${await url}/s3${path}`, undefined, body);
    try {
      return await at(used);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'UPLOAD_TOKEN_EXPIRED')) throw error;
      if (current === used) {
        current = renew();
        current.catch(() => (current = used)); // to be asked for again
      }
      return at(current);
    }
  };
  const named = ({ key, uploadId }: BegunUpload, rest = '') =>
    `/multipart/${encodeURIComponent(uploadId)}${rest}?key=${encodeURIComponent(key)}`;
  return {
    begin: async (file) => {
      const chosen = { filename: file.name, type: contentTypeOf(file) };
      const { key, uploadId } = await call<BegunUpload>('POST', '/multipart', chosen);
      return { key, uploadId };
    },
    sign: async (upload, number, sizeBytes) =>
      (await call<{ url: string }>('GET', `${named(upload, `/${number}`)}&size=${sizeBytes}`)).url,
    list: (upload) => call('GET', named(upload)),
    complete: (upload, parts) => call('POST', named(upload, '/complete'), { parts }),
  };
}

/** Browsers know no type for many containers; the API wants one that can stand in a header. */
export const contentTypeOf = ({ type }: { type: string }): string =>
  /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : UNKNOWN_TYPE;
