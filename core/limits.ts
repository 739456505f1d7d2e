// What one source may ask of us. Each limit is a setting, with the reason for its default beside it.

export interface SourceLimits {
  maxDurationSeconds: number;
  /** Of one coded picture: width × height. */
  maxPicturePixels: number;
  /** Of a source that has no index to be relied on, and so is copied before it plays. */
  maxCopiedBytes: number;
  /** Tracks of all kinds. */
  maxStreams: number;
  /** For finding out what a source is. */
  probeTimeoutSeconds: number;
  /** Address space of the process that finds it out. */
  probeMemoryBytes: number;
  /** Address space of a process that encodes. */
  encodeMemoryBytes: number;
}

export const DEFAULT_LIMITS: SourceLimits = {
  // A day at a conference. What is longer is a surveillance camera, or a number somebody made up.
  maxDurationSeconds: 12 * 3600,
  // 8K as filmed (7680 × 4320) and as projected (8192 × 4320). A decoder keeps up to 17 pictures of this size.
  maxPicturePixels: 8192 * 4320,
  // A process that nobody ends takes its time. In a function it is `FUNCTION_COPIED_BYTES`.
  maxCopiedBytes: Infinity,
  // Every track is looked into. Films with all their subtitles and fonts have about a hundred.
  maxStreams: 256,
  // Real files take well under a second; one that must be searched from end to end for its time stamps, a few.
  probeTimeoutSeconds: 20,
  // The index of twelve hours at 60 fps takes 150 MB, one 8K picture of 16-bit 4:4:4 takes 212 MB.
  probeMemoryBytes: 1536 * 1024 ** 2,
  // Decoding 8K and encoding five rungs takes 2 GB, of which much is reserved and never touched.
  encodeMemoryBytes: 8 * 1024 ** 3,
};

/**
 * What a function cannot copy however well it fares: at 40 MiB a second, which is what it gets of S3 in one connection, this
 * takes 13 of its 15 minutes.
 */
export const FUNCTION_COPIED_BYTES = 30 * 1024 ** 3;

/** As much as S3 took in one object for most of its life: a day of camera originals. */
export const DEFAULT_MAX_UPLOAD_BYTES = 5 * 1024 ** 4;

/** How long an upload in parts that nobody completes can be gone on with. */
export const UNFINISHED_UPLOAD_DAYS = 3;

/** For how long an upload can be begun with a link; a signature dies with the session of the role that made it. */
export const SIGNED_SECONDS = 3600;

/** How long a deletion can be taken back. */
export const DEFAULT_DELETION_GRACE_HOURS = 24;

/** A player keeps the revision that it began with: longer than any film with its pauses. */
export const DEFAULT_REVISION_GRACE_DAYS = 7;

/** Videos, or unfinished uploads, on one page of a list. */
export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

/** How long the gateway, and the function it asks, take an API key for what it was: a changed one lives on for as long. */
export const API_KEY_CACHED_SECONDS = 5 * 60;

/**
 * How long a function makes, and takes, tokens with its copy of a secret. After one rotation of the playback secret an old
 * copy does no harm, for what it signs with stays valid until the next; only two in a row, which somebody starts to cut
 * off all tokens, make it worthless. A minute is what docs/operations.md tells them to wait; it costs a request to Secrets
 * Manager a minute ($0.05 for 10,000).
 */
export const SECRET_CACHED_SECONDS = 60;

/** How long a browser remembers what pages of other origins may ask for. */
export const PREFLIGHT_SECONDS = 24 * 3600;
