// The HTTP interface, as the page sees it. Types come from the code that answers, so the two cannot drift apart.

import type { GrantedUpload } from '../pipeline/sign-upload.ts';
import type { PlaybackGrant } from '../pipeline/playback.ts';
import type { VideoStatus } from '../pipeline/video-status.ts';

export type Video = VideoStatus;

export interface Config {
  /** Only a server on one's own machine gives its key away. */
  apiKey?: string;
  testClip: boolean;
}

export interface Granted {
  id: string;
  playbackUrl: string | null;
  upload: GrantedUpload;
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
   * one with a wrong key. The API knows 401 only.
   */
  get isKeyRefused(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

export interface Api {
  config(): Promise<Config>;
  health(): Promise<unknown>;
  grantUpload(file: { filename: string; contentType: string; sizeBytes: number }): Promise<Granted>;
  makeTestClip(): Promise<Omit<Granted, 'upload'>>;
  video(id: string): Promise<Video>;
  /** With protected playback, an address that plays for some hours. */
  grantPlayback(id: string): Promise<PlaybackGrant>;
  videos(cursor: string | undefined): Promise<VideoPage>;
  deleteVideo(id: string): Promise<void>;
}

/** Every call rejects with ServerGone or ApiError. `apiKey` is asked for anew at each call. */
export function httpApi(apiKey: () => string | undefined): Api {
  const call = <T>(method: string, path: string, body?: object): Promise<T> =>
    request<T>(method, path, apiKey(), body);
  return {
    config: () => call('GET', '/config.json'),
    health: () => call('GET', '/api/health'),
    grantUpload: (file) => call('POST', '/api/uploads', file),
    makeTestClip: () => call('POST', '/local/test-clip'),
    video: (id) => call('GET', `/api/videos/${id}`),
    grantPlayback: (id) => call('POST', `/api/videos/${id}/tokens`),
    videos: (cursor) => call('GET', `/api/videos?limit=20${cursor ? `&cursor=${cursor}` : ''}`),
    deleteVideo: (id) => call('DELETE', `/api/videos/${id}`),
  };
}

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
