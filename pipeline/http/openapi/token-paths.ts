// How a file is sent by the holder of an upload token.

import { completionRequest, multipartRequest, signRequest } from '../api-schemas.ts';
import { MAX_PARTS, MAX_REQUEST_BYTES, MIN_PART_BYTES } from '../../../core/aws-limits.ts';
import { MAX_OPEN_UPLOADS } from '../../uploads/upload-limits.ts';
import { TOKEN_FAILURES, answer, asked, failures } from './bodies.ts';
import { ANYONE } from './callers.ts';
import { object, ref, text, url } from './json-schema.ts';
import { KEY, TOKEN, UPLOAD_ID } from './parameters.ts';

export const TOKEN_PATHS = {
  '/u/{token}/s3/params': {
    parameters: [TOKEN],
    get: {
      operationId: 'uploadForm',
      summary: 'A form that sends the file in one request',
      security: ANYONE,
      parameters: [
        { name: 'filename', in: 'query', required: true, schema: text },
        { name: 'type', in: 'query', required: false, schema: text },
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
};
