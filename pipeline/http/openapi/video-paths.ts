// Videos: their states, their deletion, and who may watch them.

import { tokenRequest } from '../api-schemas.ts';
import { answer, asked, failures } from './bodies.ts';
import { ANYONE, OWNER } from './callers.ts';
import { object, ref, text } from './json-schema.ts';
import { PAGE_PARAMETERS, VIDEO_ID } from './parameters.ts';

export const VIDEO_PATHS = {
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
      summary: 'Removes the source and everything that was made of it, when a grace time is over',
      security: OWNER,
      responses: {
        204: { description: 'It is in no list and has no state any more.' },
        ...failures(401, 403, 404),
      },
    },
  },
  '/videos/{id}/restore': {
    parameters: [VIDEO_ID],
    post: {
      operationId: 'restoreVideo',
      summary: 'Takes a deletion back, within its grace time',
      security: OWNER,
      responses: { 200: answer('Its state.', ref('Video')), ...failures(401, 403, 404) },
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
