// The HTTP interface as an OpenAPI document (3.1): served below /api/openapi.json, and held against the running API by
// test/docs/api.test.ts.

import { SCHEMAS } from './schemas.ts';
import { SERVICE_PATHS } from './service-paths.ts';
import { TOKEN_PATHS } from './token-paths.ts';
import { UPLOAD_PATHS } from './upload-paths.ts';
import { VIDEO_PATHS } from './video-paths.ts';

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
  paths: { ...SERVICE_PATHS, ...UPLOAD_PATHS, ...TOKEN_PATHS, ...VIDEO_PATHS },
  components: {
    securitySchemes: {
      key: { type: 'http', scheme: 'bearer', description: 'The API key, or a JWT of the issuer.' },
    },
    schemas: SCHEMAS,
  },
});
