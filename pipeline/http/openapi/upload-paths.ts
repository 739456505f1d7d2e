// Uploads as the owner of the videos grants and ends them.

import { uploadRequest, uploadTokenRequest } from '../api-schemas.ts';
import { answer, asked, failures } from './bodies.ts';
import { OWNER } from './callers.ts';
import { object, ref, text } from './json-schema.ts';
import { PAGE_PARAMETERS, VIDEO_ID } from './parameters.ts';

export const UPLOAD_PATHS = {
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
};
