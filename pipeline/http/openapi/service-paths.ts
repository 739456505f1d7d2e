// Whether the API is there, and who has signed in.

import { answer, failures } from './bodies.ts';
import { ANYONE, OWNER } from './callers.ts';
import { object } from './json-schema.ts';

export const SERVICE_PATHS = {
  '/health': {
    get: {
      operationId: 'health',
      summary: 'Whether the API answers',
      security: ANYONE,
      responses: { 200: answer('It does.', object({ status: { const: 'ok' } })) },
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
};
