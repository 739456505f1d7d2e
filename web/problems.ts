// A sentence for every failure a person can meet here, and what they can do about it.

import { OUTAGE_SENTENCES } from '../core/errors.ts';
import type { SourceErrorCode } from '../core/errors.ts';
import type { Video } from './api.ts';
import { ApiError, ServerGone } from './request.ts';
import { FileChanged, UploadInterrupted, UploadRefused } from './upload/put-blob.ts';

export interface Problem {
  sentence: string;
  advice: string;
}

export const SERVER_GONE: Problem = {
  sentence: 'The server does not answer.',
  advice: 'Check your connection. This page tries again by itself.',
};

export const VIDEO_DELETED: Problem = {
  sentence: 'This video has been deleted.',
  advice: 'Choose another one from the list.',
};

export const NO_SUCH_VIDEO: Problem = {
  sentence: 'There is no such video.',
  advice: 'It may have been deleted, or the link is not complete.',
};

export const TOKEN_MISSING: Problem = {
  sentence: 'This video needs a link with a permission.',
  advice: 'Ask whoever sent you here for a new link.',
};

export const UPLOAD_UNFINISHED: Problem = {
  sentence: 'The upload of this video has not been finished.',
  advice:
    'It plays here as soon as it is. If it was broken off, upload the file again and delete this entry.',
};

export const STORAGE_IS_FULL: Problem = {
  sentence: OUTAGE_SENTENCES.STORAGE_FULL,
  advice: 'Delete videos that are no longer needed, then try again.',
};

export const NOT_A_FILE: Problem = {
  sentence: 'That was not a file.',
  advice: 'Drop video or audio files from your disk; of a folder, drop the files in it.',
};

export const PERMISSION_ENDED: Problem = {
  sentence: 'The permission to watch this video has ended.',
  advice: 'Try again; if you were given a link, ask for a new one.',
};

export const COPYING_REFUSED =
  'The browser did not allow copying. The text is selected: copy it with Ctrl+C (on a Mac, ⌘C).';

export const linkEnds = (end: Date): Problem => ({
  sentence: `The link plays until ${end.toLocaleString()}.`,
  advice: 'Whoever has it can watch this video until then, and no other.',
});

export function problemOf(error: unknown): Problem {
  if (error instanceof ServerGone) return SERVER_GONE;
  if (error instanceof UploadInterrupted) {
    return {
      sentence: 'The upload was interrupted: the connection broke off.',
      advice: 'Check your connection, then try again.',
    };
  }
  if (error instanceof FileChanged) {
    return {
      sentence: 'The file cannot be read any more: it has changed, or is gone.',
      advice: 'Dismiss this upload and choose the file again.',
    };
  }
  if (error instanceof UploadRefused) {
    if (error.status === 507) return STORAGE_IS_FULL;
    return {
      sentence: `The storage did not take the file (${error.status}).`,
      advice: 'The permission to upload may have run out. Try again.',
    };
  }
  if (error instanceof ApiError) return problemOfAnswer(error);
  return { sentence: 'Something went wrong on this page.', advice: 'Reload it and try again.' };
}

function problemOfAnswer({ status, message, isKeyRefused }: ApiError): Problem {
  if (isKeyRefused) {
    return {
      sentence: 'The server did not accept the key.',
      advice: 'Reload the page and enter the key again.',
    };
  }
  switch (status) {
    case 404:
      return VIDEO_DELETED;
    case 413:
      return { sentence: 'The file is too large.', advice: message || 'Send a shorter or smaller version.' };
    case 507:
      return STORAGE_IS_FULL;
    case 429:
      return { sentence: 'The server is busy.', advice: 'Wait a moment, then try again.' };
    default:
      return status >= 500
        ? { sentence: `The server has a problem (${status}).`, advice: 'Wait a moment, then try again.' }
        : {
            sentence: message || `The server refused (${status}).`,
            advice: 'Try again, or choose another file.',
          };
  }
}

/** The API's own sentence about a video that failed, and what helps. */
export function refusalOf({ error }: Pick<Video, 'error'>): Problem {
  return {
    sentence: error?.message ?? 'The video could not be prepared.',
    advice: (error && ADVICE[error.code as SourceErrorCode]) ?? 'If this stays so, upload the file again.',
  };
}

const ADVICE: Record<SourceErrorCode, string> = {
  EMPTY_FILE: 'Copy or export it anew, then upload it again.',
  NOT_MEDIA: 'Choose a video or audio file, such as MP4, MOV, MKV, WebM or MP3.',
  CUT_OFF: 'Copy the whole file from the camera again, or export it anew, then upload that.',
  NO_STREAMS: 'Choose a file that plays on your own computer.',
  UNREADABLE: 'If it plays on your own computer, try once more, or export it as MP4 first.',
  DAMAGED: 'Copy it from its origin again, or export it anew, then upload that.',
  ENCRYPTED: 'Bought and rented films cannot be uploaded. Choose a file without copy protection.',
  EXTERNAL_MEDIA: 'Open it where it was made, save it as a self-contained movie, then upload that.',
  UNSUPPORTED_CODEC: 'Export it as H.264 with AAC (MP4), then upload that.',
  PICTURE_TOO_LARGE: 'Export it at 4K or smaller, then upload that.',
  TOO_MANY_STREAMS: 'Export it as MP4 with one picture and one sound track, then upload that.',
  TOO_LARGE: 'Send a shorter or smaller version.',
  TOO_LARGE_TO_COPY: 'Most video programs do so without encoding it again. Then upload that.',
  TOO_LONG: 'Cut it into shorter parts and upload those.',
};

/** Why a player gave up; `status` is what the server answered, if it did. */
export type PlayerFailure =
  | { kind: 'network'; status: number | undefined }
  | { kind: 'media' }
  | { kind: 'codec' }
  | { kind: 'unsupported' }
  | { kind: 'code' };

export function problemOfPlayer(failure: PlayerFailure): Problem {
  switch (failure.kind) {
    case 'network':
      if (failure.status === 403) return PERMISSION_ENDED;
      return failure.status
        ? {
            sentence: `A part of the video could not be loaded (${failure.status}).`,
            advice: 'Wait a moment, then try again.',
          }
        : {
            sentence: 'The video could not be loaded: the connection broke off.',
            advice: 'Check your connection, then try again.',
          };
    case 'media':
      return {
        sentence: 'The player stopped: this browser could not decode the video.',
        advice: 'Try again, or open the page in another browser.',
      };
    case 'codec':
      return {
        sentence: 'This browser cannot decode H.264 video.',
        advice: 'Open the page in another browser, such as Chrome, Edge, Firefox or Safari.',
      };
    case 'unsupported':
      return {
        sentence: 'This browser cannot play HLS video.',
        advice: 'Update it, or open the page in Chrome, Edge, Firefox or Safari.',
      };
    case 'code':
      return {
        sentence: 'The player could not be loaded.',
        advice: 'Check your connection, then try again.',
      };
  }
}

/** What a video waits for, of which nobody who reads this is to blame, or can do anything but wait. */
export function delayText({ code }: NonNullable<Video['delayed']>): string {
  const reason = code === 'ENCODING_FAILED' ? 'Not all of it could be prepared.' : OUTAGE_SENTENCES[code];
  return `Delayed. ${reason} It is tried again by itself.`;
}
