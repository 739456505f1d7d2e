// Sends one file by one PUT, as it was granted. XMLHttpRequest, since fetch cannot tell how much has left.

import type { GrantedUpload } from '../pipeline/sign-upload.ts';

/** The connection broke before the store had everything. */
export class UploadInterrupted extends Error {
  override name = 'UploadInterrupted';
}

/** The store's "no", most likely because the grant has expired. */
export class UploadRefused extends Error {
  override name = 'UploadRefused';
  readonly status: number;
  constructor(status: number) {
    super(`The store answered ${status}.`);
    this.status = status;
  }
}

export interface PutOptions {
  onProgress: (sentBytes: number) => void;
  signal: AbortSignal;
}

/** @throws UploadInterrupted, UploadRefused, or the signal's reason. */
export function putFile(
  file: Blob,
  { method, url, headers }: GrantedUpload,
  options: PutOptions,
): Promise<void> {
  const { onProgress, signal } = options;
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) {
      if (!SET_BY_BROWSER.has(name.toLowerCase())) xhr.setRequestHeader(name, value);
    }
    xhr.upload.onprogress = ({ loaded }) => onProgress(loaded);
    xhr.onload = () =>
      xhr.status >= 200 && xhr.status < 300 ? resolve() : reject(new UploadRefused(xhr.status));
    xhr.onerror = () => reject(new UploadInterrupted());
    xhr.onabort = () => reject(signal.reason ?? new UploadInterrupted());
    xhr.onloadend = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort);
    if (signal.aborted) reject(signal.reason);
    else xhr.send(file);
  });
}

// Signed all the same, but a script that sets them is only warned.
const SET_BY_BROWSER = new Set(['content-length', 'host']);

/** Browsers know no type for many containers; the API wants one that can stand in a header. */
export const contentTypeOf = ({ type }: { type: string }): string =>
  /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream';

export interface Sample {
  atMs: number;
  sentBytes: number;
}

const WINDOW_MS = 4000;

/** The samples a rate is taken from: those of the last seconds, and one before them to measure from. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const firstInside = samples.findIndex(({ atMs }) => atMs > sample.atMs - WINDOW_MS);
  const kept = firstInside < 0 ? samples.slice(-1) : samples.slice(Math.max(0, firstInside - 1));
  return [...kept, sample];
}

/** Bytes per second; undefined until there is half a second to tell from, 0 when nothing moves any more. */
export function rateOf(samples: readonly Sample[], nowMs: number): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return undefined;
  if (nowMs - last.atMs > WINDOW_MS) return 0;
  const seconds = (last.atMs - first.atMs) / 1000;
  return seconds < 0.5 ? undefined : (last.sentBytes - first.sentBytes) / seconds;
}
