// The HTTP interface as an OpenAPI document (3.1): served below /api/openapi.json, and held against the running API by
// test/docs/api.test.ts. Bodies of requests are the schemas that the API itself checks them by.

import * as z from 'zod';
import { SOURCE_ERROR_SENTENCES } from '../core/errors.ts';
import { DEFAULT_PAGE, MAX_PAGE, tokenRequest, uploadRequest } from './http-api-schemas.ts';

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
  404: 'There is no such video (any more).',
  409: 'Playback is public and needs no token.',
  413: 'The file is larger than this service accepts.',
} as const;

const OWNER = [{ key: [] }];
const ANYONE: [] = [];
const VIDEO_ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[0-9a-z]{34}$' },
};

const SCHEMAS = {
  Error: object({ code: text, message: text }),
  Upload: object({ method: { const: 'PUT' }, url, headers: { type: 'object', additionalProperties: text } }),
  GrantedUpload: object({ id: text, playbackUrl: orNull(url), statusUrl: url, upload: ref('Upload') }),
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
      title: { ...text, description: 'The name of the file.' },
      state: { enum: ['waiting', 'processing', 'ready', 'failed'] },
      playable: { type: 'boolean', description: 'Whether playbackUrl answers with a playlist now.' },
      progress: { type: 'number', minimum: 0, maximum: 1 },
      durationSeconds: orNull({ type: 'number' }),
      playbackUrl: { ...orNull(url), description: 'Null with protected playback: ask for a token.' },
      posterUrl: orNull(url),
      storyboardUrl: { ...orNull(url), description: 'A WebVTT track of pictures for the seek bar.' },
      renditions: { type: 'array', items: ref('Rendition') },
      sizeBytes: bytes,
      createdAt: time,
      error: object({
        code: { enum: [...Object.keys(SOURCE_ERROR_SENTENCES), 'ENCODING_FAILED'] },
        message: { ...text, description: 'A sentence for people.' },
      }),
      cost: ref('Cost'),
    },
    ['error', 'cost'],
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
    post: {
      operationId: 'createUpload',
      summary: 'Grants an upload',
      security: OWNER,
      requestBody: asked(uploadRequest),
      responses: {
        201: answer(
          'Send the file as `upload` says, within an hour. The video has its address from now on.',
          ref('GrantedUpload'),
        ),
        ...failures(400, 401, 403, 413),
      },
    },
  },
  '/videos': {
    get: {
      operationId: 'listVideos',
      summary: 'All videos, newest first, in pages',
      security: OWNER,
      parameters: [
        {
          name: 'limit',
          in: 'query',
          schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE },
        },
        { name: 'cursor', in: 'query', description: '`nextCursor` of the page before', schema: text },
      ],
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
        ...failures(400, 401, 403, 404, 409),
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
      'Grants uploads, and tells what became of them. Every failure is `{ code, message }` (docs/errors.md).',
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
