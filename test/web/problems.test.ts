import { OUTAGE_CODES, SOURCE_ERROR_SENTENCES } from '../../core/errors.ts';
import type { SourceErrorCode } from '../../core/errors.ts';
import {
  SERVER_GONE,
  VIDEO_DELETED,
  delayText,
  problemOf,
  problemOfPlayer,
  refusalOf,
} from '../../web/problems.ts';
import { ApiError, ServerGone } from '../../web/request.ts';
import { UploadInterrupted, UploadRefused } from '../../web/upload/put-blob.ts';

test.each(Object.entries(SOURCE_ERROR_SENTENCES))(
  'a file refused for %s shows the sentence of the API, and what to do',
  (code, message) => {
    const { sentence, advice } = refusalOf({ error: { code: code as SourceErrorCode, message } });
    expect(sentence).toBe(message);
    expect(advice).toMatch(/^[A-Z].*\.$/);
  },
);

test('a failure outside of the list still gets advice', () => {
  expect(refusalOf({ error: { code: 'ENCODING_FAILED', message: 'Not all of it.' } })).toEqual({
    sentence: 'Not all of it.',
    advice: 'If this stays so, upload the file again.',
  });
});

test.each([
  [new ServerGone(), SERVER_GONE.sentence],
  [new UploadInterrupted(), 'The upload was interrupted: the connection broke off.'],
  [new UploadRefused(507), 'There is no space left to store this.'],
  [new ApiError(507, 'STORAGE_FULL', 'x'), 'There is no space left to store this.'],
  [new UploadRefused(403), 'The storage did not take the file (403).'],
  [new ApiError(401, 'UNAUTHORIZED', 'x'), 'The server did not accept the key.'],
  [new ApiError(401, undefined, 'Unauthorized'), 'The server did not accept the key.'],
  [new ApiError(403, undefined, 'Forbidden'), 'The server did not accept the key.'],
  [new ApiError(404, 'NOT_FOUND', 'x'), VIDEO_DELETED.sentence],
  [new ApiError(413, 'TOO_LARGE', 'x'), 'The file is too large.'],
  [new ApiError(400, 'INVALID_REQUEST', 'filename: too long'), 'filename: too long'],
  [new ApiError(502, undefined, 'Bad Gateway'), 'The server has a problem (502).'],
  [new TypeError('x is undefined'), 'Something went wrong on this page.'],
])('%s is told as: %s', (error, sentence) => {
  expect(problemOf(error).sentence).toBe(sentence);
});

test('a player says whether it was the network, the permission or the browser', () => {
  const sentences = [
    problemOfPlayer({ kind: 'network', status: 500 }),
    problemOfPlayer({ kind: 'network', status: 403 }),
    problemOfPlayer({ kind: 'network', status: undefined }),
    problemOfPlayer({ kind: 'media' }),
  ].map(({ sentence }) => sentence);
  expect(sentences).toEqual([
    'A part of the video could not be loaded (500).',
    'The permission to watch this video has ended.',
    'The video could not be loaded: the connection broke off.',
    'The player stopped: this browser could not decode the video.',
  ]);
});

test.each([...OUTAGE_CODES, 'ENCODING_FAILED' as const])(
  'a delay by %s says that nothing has to be done',
  (code) => {
    const now = new Date().toISOString();
    expect(delayText({ code, since: now, retryAt: now })).toMatch(
      /^Delayed\. [A-Z].+\. It is tried again by itself\.$/,
    );
  },
);
