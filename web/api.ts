// The HTTP interface, as the page sees it. Types come from the code that answers, so the two cannot drift apart.

import { DEFAULT_PAGE } from '../core/limits.ts';
import type { GrantedUpload } from '../pipeline/uploads/sign-upload.ts';
import type { PlaybackGrant } from '../pipeline/life/playback.ts';
import type { VideoStatus } from '../pipeline/life/video-status.ts';

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

/** No answer at all: the server is down, or the network is. */
export class ServerGone extends Error {
  override name = 'ServerGone';
}

/** The server's "no": a status, and its `{ code, message }` where it sent one. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly code: string | undefined;
  constructor(status: number, code: string | undefined, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /**
   * API Gateway itself answers so, before the API is asked and with no `code`: 401 for a request without a key, 403 for
   * one with a wrong key. The API knows 401 only; its own 403 are about tokens.
   */
  get isKeyRefused(): boolean {
    return this.status === 401 || (this.status === 403 && this.code === undefined);
  }
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

/** Every call rejects with ServerGone or ApiError. Without an `apiKey`, which is asked for at each call, a cookie counts. */
export function httpApi(apiKey: () => string | undefined): Api {
  const call = <T>(method: string, path: string, body?: object): Promise<T> =>
    request<T>(method, path, apiKey(), body);
  return {
    config: () => call('GET', '/config.json'),
    health: () => call('GET', '/api/health'),
    signIn: (credential) => request('POST', '/api/session', credential),
    signOut: () => call('DELETE', '/api/session'),
    grantUpload: (file) => call('POST', '/api/uploads', file),
    renewUpload: (id) => call('POST', `/api/uploads/${id}/tokens`),
    makeTestClip: () => call('POST', '/local/test-clip'),
    video: (id) => call('GET', `/api/videos/${id}`),
    grantPlayback: (id) => call('POST', `/api/videos/${id}/tokens`),
    videos: (cursor) => call('GET', `/api/videos?limit=${DEFAULT_PAGE}${cursor ? `&cursor=${cursor}` : ''}`),
    deleteVideo: (id) => call('DELETE', `/api/videos/${id}`),
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
  /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream';

async function request<T>(
  method: string,
  path: string,
  apiKey: string | undefined,
  body?: object,
): Promise<T> {
  const headers = new Headers();
  if (apiKey) headers.set('Authorization', `Bearer ${apiKey}`);
  if (body) headers.set('Content-Type', 'application/json');
  const response = await fetch(path, {
    method,
    headers,
    cache: 'no-store',
    body: body && JSON.stringify(body),
  }).catch((error: Error) => {
    throw new ServerGone(`${method} ${path}: ${error.message}`);
  });
  // A proxy in between answers errors in HTML.
  const answer = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw new ApiError(response.status, answer?.code, answer?.message ?? response.statusText);
  return answer as T;
}
