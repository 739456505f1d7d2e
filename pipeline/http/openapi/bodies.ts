// Bodies of requests and answers. Those of requests are the schemas that the API itself checks them by.

import * as z from 'zod';
import { ref } from './json-schema.ts';
import type { Schema } from './json-schema.ts';

const body = (schema: Schema) => ({ content: { 'application/json': { schema } } });

export const answer = (description: string, schema: Schema) => ({ description, ...body(schema) });

export const asked = (schema: z.ZodType) => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { required: true, ...body(rest) };
};

export const failures = (...statuses: (keyof typeof FAILURES)[]) =>
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

export const TOKEN_FAILURES = {
  ...failures(400),
  403: answer('The token is none of ours, has expired, or is for another video.', ref('Error')),
};
