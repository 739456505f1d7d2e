// Sends a file in parts, several at once, over lines that break: what has come is not sent again, by this call or by a
// later one that goes on with the same upload.

import { MAX_PARTS } from '../../core/aws-limits.ts';
import type { BegunUpload, PartsApi } from '../api.ts';
import { isPassing, passesByItself } from '../request.ts';
import { UploadInterrupted, UploadRefused, putBlob } from './put-blob.ts';

export interface PartsOptions {
  /** The upload to go on with; undefined begins one. */
  begun: BegunUpload | undefined;
  onBegun: (begun: BegunUpload) => void;
  onProgress: (sentBytes: number) => void;
  signal: AbortSignal;
}

const MIB = 1024 * 1024;

/** From here on parts are worth their requests: begin, sign, complete. */
export const LEAST_BYTES_IN_PARTS = 16 * MIB;

// Small parts show progress on slow lines, and lose little where a line breaks.
const LEAST_PART_BYTES = 8 * MIB;

/** Browsers open six connections to a host: on one machine the last one is for what else the page has to ask. */
const PARTS_AT_ONCE = 5;

/** How long nothing may arrive, while the browser says that there is a network, before it is given up. */
const PATIENCE_MS = 120_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/** A function of the size alone, so that whoever goes on with an upload cuts the file as whoever began it. */
export const partBytesOf = (sizeBytes: number): number =>
  Math.max(LEAST_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS / MIB) * MIB);

/**
 * Resolves when the file is complete in the store. When `signal` fires all requests end, and what has come stays.
 * @throws ApiError (404 where the upload to go on with is no more), ServerGone, UploadInterrupted, UploadRefused,
 *   FileChanged, or the signal's reason
 */
export async function sendInParts(file: File, api: PartsApi, options: PartsOptions): Promise<void> {
  const { onBegun, onProgress } = options;
  // Ended from outside, and by the first part that cannot be sent. (AbortSignal.any is younger than our browsers.)
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const end = () => giveUp.abort(options.signal.reason);
  if (options.signal.aborted) end();
  options.signal.addEventListener('abort', end, { signal });
  const retry = persistence(signal);

  const partBytes = partBytesOf(file.size);
  const count = Math.ceil(file.size / partBytes);
  const part = (number: number): Blob => file.slice((number - 1) * partBytes, number * partBytes);
  const etags = new Map<number, string>();
  const sentBytes = new Map<number, number>();
  const tell = () => onProgress([...sentBytes.values()].reduce((sum, bytes) => sum + bytes, 0));

  const upload = options.begun ?? (await retry(() => api.begin(file)));
  if (!options.begun) onBegun(upload);
  const stored = options.begun ? await retry(() => api.list(upload)) : [];
  for (const { PartNumber, ETag, Size } of stored) {
    if (PartNumber > count || Size !== part(PartNumber).size) continue; // not ours: it is replaced
    etags.set(PartNumber, ETag);
    sentBytes.set(PartNumber, Size);
  }
  tell();

  const missing = Array.from({ length: count }, (_, index) => index + 1).filter((each) => !etags.has(each));
  const sendNext = async (): Promise<void> => {
    for (;;) {
      const number = missing.shift();
      if (number === undefined) return;
      const blob = part(number);
      // Signed for each attempt: what is refused has most likely expired.
      const etag = await retry(async (isAlive) => {
        const url = await api.sign(upload, number, blob.size);
        return putBlob(blob, url, {
          signal,
          onProgress: (bytes) => {
            isAlive();
            sentBytes.set(number, bytes);
            tell();
          },
        });
      });
      if (etag !== null) etags.set(number, etag);
      sentBytes.set(number, blob.size);
      tell();
    }
  };
  const senders = Array.from({ length: Math.min(PARTS_AT_ONCE, missing.length) }, sendNext);
  try {
    await Promise.all(senders);
  } catch (error) {
    giveUp.abort(error);
    await Promise.allSettled(senders);
    throw error;
  }

  await retry(async () => {
    // A store that shows pages no ETags tells them to the API.
    const parts =
      etags.size === count
        ? [...etags].map(([PartNumber, ETag]) => ({ PartNumber, ETag }))
        : await api.list(upload);
    await api.complete(
      upload,
      parts.sort((a, b) => a.PartNumber - b.PartNumber),
    );
  });
}

const MOST_REFUSALS = 3;

/**
 * Runs attempts until one succeeds. What passes by itself (a broken line, a busy server) is tried again as long as
 * anything arrives within that time, and for as long as the browser knows that it is offline; what the store refuses,
 * a few times.
 */
function persistence(signal: AbortSignal) {
  let aliveMs = performance.now();
  const isAlive = () => void (aliveMs = performance.now());
  return async function retry<T>(attempt: (isAlive: () => void) => Promise<T>): Promise<T> {
    for (let failures = 0, refusals = 0; ; failures += 1) {
      signal.throwIfAborted();
      const offlineBefore = !navigator.onLine;
      try {
        const result = await attempt(isAlive);
        isAlive();
        return result;
      } catch (error) {
        signal.throwIfAborted();
        const isRefusal = error instanceof UploadRefused && error.status === 403;
        if (isRefusal) refusals += 1;
        if (!isRefusal && !isPassingFailure(error)) throw error;
        if (offlineBefore || !navigator.onLine) isAlive();
        if (refusals >= MOST_REFUSALS || performance.now() - aliveMs > PATIENCE_MS) throw error;
        const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
        // Not all at once: whoever is too busy would be so again.
        await sleepOrOnline(delayMs * (0.5 + Math.random()), signal);
      }
    }
  };
}

const isPassingFailure = (error: unknown): boolean =>
  error instanceof UploadInterrupted ||
  (error instanceof UploadRefused ? isPassing(error.status) : passesByItself(error));

/** Waits; not longer than until the network is back. */
function sleepOrOnline(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const end = () => {
      over.abort();
      clearTimeout(waiting);
      resolve();
    };
    const waiting = setTimeout(end, ms);
    addEventListener('online', end, { signal: over.signal });
    const abort = () => {
      end();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { signal: over.signal });
  });
}
