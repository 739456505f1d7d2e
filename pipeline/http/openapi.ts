// The HTTP interface as an OpenAPI document (3.1): served below /api/openapi.json, and held against the running API by
// test/docs/api.test.ts. Bodies of requests are the schemas that the API itself checks them by.

import * as z from 'zod';
import { OUTAGE_CODES, RECORD_ERROR_CODES, SOURCE_ERROR_SENTENCES } from '../../core/errors.ts';
import {
  completionRequest,
  multipartRequest,
  signRequest,
  tokenRequest,
  uploadRequest,
  uploadTokenRequest,
} from './api-schemas.ts';
import { MAX_PARTS, MAX_REQUEST_BYTES, MIN_PART_BYTES } from '../../core/aws-limits.ts';
import { DEFAULT_PAGE, MAX_PAGE } from '../../core/limits.ts';
import { MAX_OPEN_UPLOADS } from '../uploads/upload-limits.ts';

type Schema = Record<string, unknown>;

const text: Schema = { type: 'string' };
const url: Schema = { type: 'string', format: 'uri' };
const time: Schema = { type: 'string', format: 'date-time' };
const bytes: Schema = { type: 'integer', minimum: 0 };
const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema['type'], 'null'] });
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** All properties are there unless named in `optional`. */
const object = (properties: Record<string, Schema>, optional: string[] = []): Schema => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

const body = (schema: Schema) => ({ content: { 'application/json': { schema } } });
const answer = (description: string, schema: Schema) => ({ description, ...body(schema) });
const asked = (schema: z.ZodType) => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { required: true, ...body(rest) };
};
const failures = (...statuses: (keyof typeof FAILURES)[]) =>
  Object.fromEntries(statuses.map((status) => [status, answer(FAILURES[status], ref('Error'))]));

const FAILURES = {
  400: 'The body or a parameter is not as it should be.',
  401: 'The key is missing or wrong.',
  403: 'The key is missing or wrong: the gateway in the cloud answers so, and may leave out the code.',
  404: 'There is no such video or upload (any more).',
  409: 'Playback is public and needs no token.',
  413: 'The file is larger than this service, or the token, allows; or the body of the request is too large.',
  415: 'The file is of a type that the token does not allow.',
} as const;

const TOKEN_FAILURES = {
  ...failures(400),
  403: answer('The token is none of ours, has expired, or is for another video.', ref('Error')),
};
const OWNER = [{ key: [] }];
const ANYONE: [] = [];
const VIDEO_ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[0-9a-z]{34}$' },
};

const UPLOAD_TOKEN = {
  uploadToken: text,
  uploadUrl: { ...url, description: 'Where upload libraries find the routes below /u/{token}.' },
  uploadExpiresAt: time,
};
const PAGE_PARAMETERS = [
  {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE },
  },
  { name: 'cursor', in: 'query', description: '`nextCursor` of the page before', schema: text },
];
const TOKEN = { name: 'token', in: 'path', required: true, schema: text };
const UPLOAD_ID = { name: 'uploadId', in: 'path', required: true, schema: text };
const KEY = {
  name: 'key',
  in: 'query',
  required: true,
  description: '`key` of the answer that began the upload',
  schema: text,
};

const SCHEMAS = {
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

const PATHS = {
  '/health': {
    get: {
      operationId: 'health',
      summary: 'Whether the API answers',
      security: ANYONE,
      responses: { 200: answer('It does.', object({ status: { const: 'ok' } })) },
    },
  },
  '/uploads': {
    get: {
      operationId: 'listUploads',
      summary: 'Uploads in parts that are neither complete nor aborted, in pages',
      security: OWNER,
      parameters: PAGE_PARAMETERS,
      responses: {
        200: answer(
          'A page; the last one has no `nextCursor`.',
          object({ uploads: { type: 'array', items: ref('UnfinishedUpload') }, nextCursor: text }, [
            'nextCursor',
          ]),
        ),
        ...failures(400, 401, 403),
      },
    },
    post: {
      operationId: 'createUpload',
      summary: 'Grants an upload',
      security: OWNER,
      requestBody: asked(uploadRequest),
      responses: {
        201: answer(
          'Send the file as `upload` says, within an hour, or in parts. The video has its address from now on.',
          ref('GrantedUpload'),
        ),
        ...failures(400, 401, 403, 413, 415),
      },
    },
  },
  '/session': {
    post: {
      operationId: 'signIn',
      summary: 'Has a browser keep the credential in a cookie that no script can read',
      security: OWNER,
      responses: {
        204: { description: 'Requests that a page of this site makes now need no header.' },
        ...failures(400, 401, 403),
      },
    },
    delete: {
      operationId: 'signOut',
      summary: 'Has the browser forget it',
      security: ANYONE,
      responses: { 204: { description: 'It is forgotten.' } },
    },
  },
  '/uploads/{id}': {
    parameters: [VIDEO_ID],
    delete: {
      operationId: 'abortUploads',
      summary: 'Forgets the parts that were sent of a video; it can be uploaded anew',
      security: OWNER,
      responses: { 204: { description: 'They are gone.' }, ...failures(401, 403, 404) },
    },
  },
  '/uploads/{id}/tokens': {
    parameters: [VIDEO_ID],
    post: {
      operationId: 'renewUpload',
      summary: 'A new upload token for a video whose file has not come',
      security: OWNER,
      requestBody: { ...asked(uploadTokenRequest), required: false },
      responses: {
        201: answer('It allows what the first one did.', ref('UploadToken')),
        ...failures(400, 401, 403, 404, 413),
        409: answer('The file has come.', ref('Error')),
      },
    },
  },
  '/u/{token}/s3/params': {
    parameters: [TOKEN],
    get: {
      operationId: 'uploadForm',
      summary: 'A form that sends the file in one request',
      security: ANYONE,
      parameters: [
        { name: 'filename', in: 'query', required: true, schema: text },
        { name: 'type', in: 'query', required: true, schema: text },
      ],
      responses: {
        200: answer(
          'Post `fields`, then the field `file`, as multipart/form-data within `expires` seconds.',
          object({
            method: { const: 'POST' },
            url,
            fields: { type: 'object', additionalProperties: text },
            expires: { type: 'integer' },
          }),
        ),
        ...TOKEN_FAILURES,
        ...failures(404, 415),
        409: answer('The file has come.', ref('Error')),
      },
    },
  },
  '/u/{token}/s3/sign': {
    parameters: [TOKEN],
    post: {
      operationId: 'signRequest',
      summary: 'Signs a request that the caller makes of S3 itself, as signRequest of @uppy/aws-s3 6 does',
      security: ANYONE,
      requestBody: asked(signRequest),
      responses: {
        200: answer(
          'Make the request within an hour, with `headers` if there are any; with `fields`, as a form. `key` is the right one.',
          object(
            {
              url,
              key: text,
              headers: { type: 'object', additionalProperties: text },
              fields: { type: 'object', additionalProperties: text },
            },
            ['headers', 'fields'],
          ),
        ),
        ...TOKEN_FAILURES,
        ...failures(404, 413, 415),
        409: answer('The file has come.', ref('Error')),
      },
    },
  },
  '/u/{token}/s3/multipart': {
    parameters: [TOKEN],
    post: {
      operationId: 'beginParts',
      summary: `Begins an upload in parts; of those that are open, the oldest end above ${MAX_OPEN_UPLOADS}`,
      security: ANYONE,
      requestBody: asked(multipartRequest),
      responses: {
        200: answer('Both name the upload from now on.', object({ key: text, uploadId: text })),
        ...TOKEN_FAILURES,
        ...failures(404, 413, 415),
        409: answer('The file has come.', ref('Error')),
      },
    },
  },
  '/u/{token}/s3/multipart/{uploadId}/{partNumber}': {
    parameters: [
      TOKEN,
      UPLOAD_ID,
      {
        name: 'partNumber',
        in: 'path',
        required: true,
        schema: { type: 'integer', minimum: 1, maximum: MAX_PARTS },
      },
      KEY,
    ],
    get: {
      operationId: 'signPart',
      summary: 'Where to PUT a part; all but the last have 5 MiB at least',
      security: ANYONE,
      parameters: [
        {
          name: 'size',
          in: 'query',
          description: `How many bytes the part has: the address takes no others. To be said where the token allows less than ${MIN_PART_BYTES} bytes; then all parts have the same size, and the last one may have less.`,
          schema: { type: 'integer', minimum: 0, maximum: MAX_REQUEST_BYTES },
        },
      ],
      responses: {
        200: answer(
          'PUT the part there within `expires` seconds.',
          object({ url, expires: { type: 'integer' } }),
        ),
        ...TOKEN_FAILURES,
        ...failures(404),
        413: answer('The file is larger than the token allows; its parts are gone.', ref('Error')),
      },
    },
  },
  '/u/{token}/s3/multipart/{uploadId}': {
    parameters: [TOKEN, UPLOAD_ID, KEY],
    get: {
      operationId: 'listParts',
      summary: 'All parts that have come',
      security: ANYONE,
      responses: {
        200: answer('In the order of their numbers.', { type: 'array', items: ref('Part') }),
        ...TOKEN_FAILURES,
        ...failures(404),
      },
    },
    delete: {
      operationId: 'abortParts',
      summary: 'Forgets the parts of this upload',
      security: ANYONE,
      responses: { 200: answer('They are gone.', object({})), ...TOKEN_FAILURES },
    },
  },
  '/u/{token}/s3/multipart/{uploadId}/complete': {
    parameters: [TOKEN, UPLOAD_ID, KEY],
    post: {
      operationId: 'completeParts',
      summary: 'Makes the file of its parts; doing it again is harmless',
      security: ANYONE,
      requestBody: asked(completionRequest),
      responses: {
        200: answer('`location` tells the state of the video.', object({ location: url, key: text })),
        ...TOKEN_FAILURES,
        ...failures(404, 413),
        409: answer('Another file was faster.', ref('Error')),
      },
    },
  },
  '/videos': {
    get: {
      operationId: 'listVideos',
      summary: 'All videos, newest first, in pages',
      security: OWNER,
      parameters: PAGE_PARAMETERS,
      responses: {
        200: answer(
          'A page; the last one has no `nextCursor`.',
          object({ videos: { type: 'array', items: ref('Video') }, nextCursor: text }, ['nextCursor']),
        ),
        ...failures(400, 401, 403),
      },
    },
  },
  '/videos/{id}': {
    parameters: [VIDEO_ID],
    get: {
      operationId: 'getVideo',
      summary: 'The state of a video; who knows its id may ask',
      security: ANYONE,
      responses: { 200: answer('Its state.', ref('Video')), ...failures(404) },
    },
    delete: {
      operationId: 'deleteVideo',
      summary: 'Removes the source and everything that was made of it',
      security: OWNER,
      responses: { 204: { description: 'It is gone.' }, ...failures(401, 403, 404) },
    },
  },
  '/videos/{id}/tokens': {
    parameters: [VIDEO_ID],
    post: {
      operationId: 'grantPlayback',
      summary: 'An address that plays a video until a time',
      security: OWNER,
      requestBody: { ...asked(tokenRequest), required: false },
      responses: {
        201: answer('Any player plays `playbackUrl` until `expiresAt`.', ref('PlaybackGrant')),
        ...failures(400, 401, 403, 404, 409, 413),
      },
    },
  },
};

/** @param publicBaseUrl scheme and host of the API, without a slash at the end */
export const openApi = (publicBaseUrl: string) => ({
  openapi: '3.1.1',
  info: {
    title: 'Instant HLS',
    version: '1',
    description:
      'Grants uploads, and tells what became of them. Every failure is `{ code, message }` (docs/errors.md); one with `Retry-After` passes by itself.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: `${publicBaseUrl}/api` }],
  paths: PATHS,
  components: {
    securitySchemes: {
      key: { type: 'http', scheme: 'bearer', description: 'The API key, or a JWT of the issuer.' },
    },
    schemas: SCHEMAS,
  },
});
