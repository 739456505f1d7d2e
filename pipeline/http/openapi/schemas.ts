// What the API answers with, by name.

import { OUTAGE_CODES, RECORD_ERROR_CODES, SOURCE_ERROR_SENTENCES } from '../../../core/errors.ts';
import { NOTICE_CODES } from '../../../core/notices.ts';
import { bytes, object, orNull, ref, text, time, url } from './json-schema.ts';

const UPLOAD_TOKEN = {
  uploadToken: text,
  uploadUrl: { ...url, description: 'Where upload libraries find the routes below /u/{token}.' },
  uploadExpiresAt: time,
};

export const SCHEMAS = {
  Error: object({ code: text, message: text }),
  Upload: object({ method: { const: 'PUT' }, url, headers: { type: 'object', additionalProperties: text } }),
  UploadToken: object(UPLOAD_TOKEN),
  GrantedUpload: object({
    id: text,
    playbackUrl: orNull(url),
    statusUrl: url,
    ...UPLOAD_TOKEN,
    upload: {
      anyOf: [ref('Upload'), { type: 'null' }],
      description: 'Null for what no single request can carry (5 GiB), and for a file that is not known yet.',
    },
  }),
  UnfinishedUpload: object({ id: text, uploadId: text, begunAt: time }),
  Part: object({ PartNumber: { type: 'integer' }, ETag: text, Size: bytes }),
  Rendition: object({
    name: text,
    width: orNull({ type: 'integer' }),
    height: orNull({ type: 'integer' }),
    frameRate: orNull({ type: 'number' }),
    codecs: { ...text, description: 'As in CODECS of the multivariant playlist (RFC 6381).' },
  }),
  Video: object(
    {
      id: text,
      title: { ...text, description: 'The name of the file, where it is known.' },
      state: { enum: ['waiting', 'processing', 'ready', 'failed'] },
      playable: { type: 'boolean', description: 'Whether playbackUrl answers with a playlist now.' },
      progress: { type: 'number', minimum: 0, maximum: 1 },
      durationSeconds: orNull({ type: 'number' }),
      playbackUrl: { ...orNull(url), description: 'Null with protected playback: ask for a token.' },
      posterUrl: { ...orNull(url), description: 'A JPEG of the whole film. The address lasts.' },
      storyboardUrl: {
        ...orNull(url),
        description: 'A WebVTT track of pictures for the seek bar. The address lasts.',
      },
      renditions: { type: 'array', items: ref('Rendition') },
      sizeBytes: { ...orNull(bytes), description: 'Null until there is a file, or a word of its size.' },
      createdAt: time,
      notices: {
        type: 'array',
        items: object({ code: { enum: [...NOTICE_CODES] }, track: orNull(text), message: text }),
        description: 'What the video lacks of its source, and why. Empty where nothing is missing.',
      },
      error: object({
        code: { enum: [...Object.keys(SOURCE_ERROR_SENTENCES), 'ENCODING_FAILED', ...RECORD_ERROR_CODES] },
        message: { ...text, description: 'A sentence for people.' },
      }),
      delayed: {
        ...object({ code: { enum: [...OUTAGE_CODES, 'ENCODING_FAILED'] }, since: time, retryAt: time }),
        description: 'What a video that is processing waits for, and when it is tried again.',
      },
      cost: ref('Cost'),
    },
    ['error', 'delayed', 'cost'],
  ),
  Cost: {
    ...object({
      isEstimate: { const: true },
      computeSeconds: { type: 'number' },
      storageBytesPerMonth: bytes,
      estimatedDollars: object({ preparation: { type: 'number' }, storagePerMonth: { type: 'number' } }),
    }),
    description: 'What a ready video costs on AWS, by docs/cost.md.',
  },
  PlaybackGrant: object({
    token: text,
    playbackUrl: url,
    posterUrl: orNull(url),
    storyboardUrl: orNull(url),
    expiresAt: time,
  }),
};
