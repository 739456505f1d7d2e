// The documents say the limits that the code has.

import { readFileSync } from 'node:fs';
import { MAX_TOKEN_SECONDS } from '../../core/access/playback-token.ts';
import { MAX_UPLOAD_TOKEN_SECONDS } from '../../core/access/upload-token.ts';
import {
  MAX_PARTS,
  MAX_REQUEST_BYTES,
  MIN_PART_BYTES,
  ORIGIN_TIMEOUT_SECONDS,
} from '../../core/aws-limits.ts';
import {
  API_KEY_CACHED_SECONDS,
  DEFAULT_LIMITS,
  DEFAULT_MAX_UPLOAD_BYTES,
  DEFAULT_REVISION_GRACE_DAYS,
  FUNCTION_COPIED_BYTES,
  UNFINISHED_UPLOAD_DAYS,
} from '../../core/limits.ts';
import { tokenRequest, uploadTokenRequest } from '../../pipeline/http/api-schemas.ts';

const hours = (seconds: number) => seconds / 3600;
const days = (seconds: number) => hours(seconds) / 24;
const parts = MAX_PARTS.toLocaleString('en');
const upload = `${DEFAULT_MAX_UPLOAD_BYTES / 1024 ** 4} TiB`;
const duration = `${hours(DEFAULT_LIMITS.maxDurationSeconds)} hours`;
const copied = `${FUNCTION_COPIED_BYTES / 1024 ** 3} GiB`;
const WORDS: Record<number, string> = { 3: 'three', 5: 'five' };

test.each([
  ['README.md', `Up to ${duration}, 8192 × 4320 and ${upload}`],
  ['docs/errors.md', `| \`MAX_UPLOAD_BYTES\` | bytes of one file | ${upload} |`],
  ['docs/errors.md', `| \`MAX_DURATION_SECONDS\` | length | ${duration} |`],
  [
    'docs/errors.md',
    `| \`MAX_COPIED_BYTES\` | bytes of a file that is copied first | none; on AWS ${copied}`,
  ],
  ['docs/sources.md', `what has to be copied may have ${copied} at most`],
  ['README.md', `(broadcasts, recordings by browsers) up to ${copied}`],
  ['docs/operations.md', `| ${upload}, ${duration} |`],
  ['docs/operations.md', `| ${DEFAULT_REVISION_GRACE_DAYS} |`],
  ['docs/operations.md', `For ${WORDS[API_KEY_CACHED_SECONDS / 60]} minutes the old`],
  [
    'docs/api.md',
    `${hours(uploadTokenRequest.parse({}).expiresInSeconds)} hours unless said, ${days(MAX_UPLOAD_TOKEN_SECONDS)} days at most`,
  ],
  ['docs/api.md', `What is larger than ${MAX_REQUEST_BYTES / 1024 ** 3} GiB`],
  ['docs/api.md', `A part has ${MIN_PART_BYTES / 1024 ** 2} MiB at least`],
  ['docs/api.md', `there are ${parts} at most`],
  ['docs/api.md', `S3 forgets it after ${WORDS[UNFINISHED_UPLOAD_DAYS]} days`],
  ['docs/integrate.md', `maxTimeToFirstByteMs: ${ORIGIN_TIMEOUT_SECONDS}_000`],
])('%s says: %s', (document, sentence) => {
  expect(readFileSync(document, 'utf8').replaceAll(/\s+/g, ' ')).toContain(sentence);
});

test('tokens to watch last hours unless said, at most a week, as docs/operations.md says', () => {
  expect(hours(tokenRequest.parse({}).expiresInSeconds)).toBe(6);
  expect(days(MAX_TOKEN_SECONDS)).toBe(7);
  expect(readFileSync('docs/operations.md', 'utf8')).toMatch(/\bsix\s+hours, at most for a week\./);
});
