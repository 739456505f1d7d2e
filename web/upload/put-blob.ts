// One PUT of a file, or of a part of one. XMLHttpRequest, since fetch cannot tell how much has left.

/** The connection broke, or stood still, before the store had everything. */
export class UploadInterrupted extends Error {
  override name = 'UploadInterrupted';
}

/** The store's "no", most likely because what was signed has expired. */
export class UploadRefused extends Error {
  override name = 'UploadRefused';
  readonly status: number;
  constructor(status: number) {
    super(`The store answered ${status}.`);
    this.status = status;
  }
}

/** The file is not on the disk any more as it was chosen. */
export class FileChanged extends Error {
  override name = 'FileChanged';
}

export interface PutOptions {
  headers?: Readonly<Record<string, string>>;
  onProgress: (sentBytes: number) => void;
  signal: AbortSignal;
}

/** A network that is there moves something within this time; what stands still for longer is lost. */
const STALL_MS = 60_000;

/**
 * Resolves with the ETag, null where the store does not show it.
 * @throws UploadInterrupted, UploadRefused, FileChanged, or the signal's reason
 */
export function putBlob(
  blob: Blob,
  url: string,
  { headers = {}, onProgress, signal }: PutOptions,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let stalling: ReturnType<typeof setTimeout>;
    const moves = () => {
      clearTimeout(stalling);
      stalling = setTimeout(() => {
        reject(new UploadInterrupted());
        xhr.abort();
      }, STALL_MS);
    };
    const abort = () => {
      reject(signal.reason as Error);
      xhr.abort();
    };
    xhr.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      moves();
      onProgress(loaded);
    };
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(xhr.getResponseHeader('etag'));
      else reject(new UploadRefused(xhr.status));
    };
    xhr.onerror = () => reasonOfFailure(blob).then(reject);
    xhr.onloadend = () => {
      clearTimeout(stalling);
      signal.removeEventListener('abort', abort);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    moves();
    xhr.send(blob);
  });
}

/** A browser tells a file that has changed from a broken line only to who reads it. */
const reasonOfFailure = (blob: Blob): Promise<Error> =>
  blob
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => new UploadInterrupted(),
      () => new FileChanged(),
    );
