// What can go wrong, by who has to act on it: the uploader (SourceError), the caller (RequestError), nobody but time
// (OutageError), or us (FfmpegError). Anything else is nobody's yet: it passes through, and whoever called tries again.

/** The closed list of reasons for which a source is refused. The page and the API show the sentence as written. */
export const SOURCE_ERROR_SENTENCES = {
  EMPTY_FILE: 'The file is empty.',
  NOT_MEDIA: 'The file is not a video or audio file that we know.',
  CUT_OFF: 'The file has no index: its recording was cut off, or it was not copied whole.',
  NO_STREAMS: 'The file holds no video and no audio.',
  UNREADABLE: 'The file could not be read within the time and memory allowed; it may be damaged.',
  DAMAGED: 'The file is damaged: none of its pictures, or none of its sound, can be decoded.',
  ENCRYPTED: 'The file is encrypted (DRM): its pictures and sound cannot be read without its key.',
  EXTERNAL_MEDIA: 'The file refers to another file that holds its pictures or sound.',
  UNSUPPORTED_CODEC: 'The file is in a format (codec) that this service cannot decode.',
  TOO_LARGE: 'The file is larger than its upload was allowed to be.',
  TOO_LARGE_TO_COPY:
    'The file has no index that can be relied on, and is too large for one to be made. Save it as an MP4 that is not in fragments.',
  TOO_LONG: 'The video is longer than this service accepts.',
  PICTURE_TOO_LARGE: 'The picture is larger than this service accepts.',
  TOO_MANY_STREAMS: 'The file has more tracks than this service accepts.',
} as const;

export type SourceErrorCode = keyof typeof SOURCE_ERROR_SENTENCES;

/** A source we will never be able to play. Not retried. */
export class SourceError extends Error {
  override name = 'SourceError';
  readonly code: SourceErrorCode;
  constructor(code: SourceErrorCode, message: string = SOURCE_ERROR_SENTENCES[code]) {
    super(message);
    this.code = code;
  }
}

/**
 * ffmpeg or ffprobe, which work, did not do what they were asked; carries the command (to paste into a shell) and the
 * end of stderr.
 */
export class FfmpegError extends Error {
  override name = 'FfmpegError';
  readonly command: string;
  readonly stderrTail: string;
  /** The signal that ended it (`SIGSEGV`), of those that a process brings upon itself. */
  readonly signal: string | undefined;
  constructor(
    message: string,
    details: { command: string; stderrTail: string; signal?: string | undefined },
  ) {
    super(`${message}\n${details.stderrTail}`);
    this.command = details.command;
    this.stderrTail = details.stderrTail;
    this.signal = details.signal;
  }

  /** By itself, not because it wrote more than it may. */
  get hasCrashed(): boolean {
    return this.signal !== undefined && this.signal !== 'SIGXFSZ';
  }
}

/** The closed list of what the machine or the store may lack for a while. */
export const OUTAGE_SENTENCES = {
  STORE_UNAVAILABLE: 'The store does not answer, or not completely.',
  STORAGE_FULL: 'There is no space left to store this.',
  TOOL_UNAVAILABLE:
    'The tools that read videos (ffmpeg, ffprobe) cannot be started, or were ended from outside.',
  TIMED_OUT: 'This took longer than it may.',
} as const;

export type OutageCode = keyof typeof OUTAGE_SENTENCES;

export const OUTAGE_CODES = Object.keys(OUTAGE_SENTENCES) as OutageCode[];

/**
 * The store or the machine did not do its part, so nothing has become known of the source: the same works later. It is
 * named by its code, as a state machine tells errors apart by their names.
 */
export class OutageError extends Error {
  override name: OutageCode;
  readonly code: OutageCode;
  constructor(code: OutageCode, message: string = OUTAGE_SENTENCES[code], options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.code = code;
  }

  get status(): 503 | 507 {
    return this.code === 'STORAGE_FULL' ? 507 : 503;
  }

  /** One line for whoever reads a terminal: where it was met matters little, and there are many of them in one outage. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.code}: ${this.message}`;
  }
}

export const isTimedOut = (error: unknown): error is OutageError =>
  error instanceof OutageError && error.code === 'TIMED_OUT';

export const RECORD_ERROR_CODES = ['RECORD_UNREADABLE', 'RECORD_TOO_NEW'] as const;

/**
 * A stored record that cannot be used. Nothing is made up for it and nothing overwrites it: somebody has to look, or the
 * deployment has to end.
 */
export class RecordError extends Error {
  override name = 'RecordError';
  readonly code: (typeof RECORD_ERROR_CODES)[number];
  readonly key: string;
  constructor(code: RecordError['code'], key: string, message: string) {
    super(message);
    this.code = code;
    this.key = key;
  }

  /** A newer release is being deployed, or was rolled back: the same request may go through later. */
  get status(): 500 | 503 {
    return this.code === 'RECORD_TOO_NEW' ? 503 : 500;
  }
}

/** A request we will not serve; becomes `{ code, message }` with this status. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 416 | 422 | 503;
  readonly code: string;
  constructor(status: RequestError['status'], code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** No video has such an artifact, or this one has none by its plan: that stays so, unlike a 404 of what is not there yet. */
export class UnlistedError extends RequestError {
  constructor() {
    super(404, 'NOT_FOUND', 'There is no such artifact.');
  }
}

/** A form may overwrite for an hour. What is made of one file is never mixed with what is made of another. */
export const sourceReplaced = (): RequestError =>
  new RequestError(
    409,
    'SOURCE_REPLACED',
    'Another file has taken the place of the one that this video was planned from.',
  );

/** What was encoded stays and plays; nothing else can be made of it. */
export const sourceGone = (): RequestError =>
  new RequestError(409, 'SOURCE_GONE', 'The source of this video is no longer stored, so it stays as it is.');

export const notFound = (what: string): RequestError =>
  new RequestError(404, 'NOT_FOUND', `There is no ${what}.`);
