// Parameters in paths and queries that several operations share.

import { DEFAULT_PAGE, MAX_PAGE } from '../../../core/limits.ts';
import { text } from './json-schema.ts';

export const VIDEO_ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[0-9a-z]{34}$' },
};

export const PAGE_PARAMETERS = [
  {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE },
  },
  { name: 'cursor', in: 'query', description: '`nextCursor` of the page before', schema: text },
];

export const TOKEN = { name: 'token', in: 'path', required: true, schema: text };

export const UPLOAD_ID = { name: 'uploadId', in: 'path', required: true, schema: text };

export const KEY = {
  name: 'key',
  in: 'query',
  required: true,
  description: '`key` of the answer that began the upload',
  schema: text,
};
