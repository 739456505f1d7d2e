// The page, and what it may only have on a machine of one's own: the key without asking, and a test clip.

import type { IncomingMessage } from 'node:http';
import { contentSecurityPolicy } from '../core/access/content-security-policy.ts';
import { buildPage } from '../web/build.ts';
import { staticFiles } from './static-files.ts';
import { sendJson } from './web-server.ts';
import type { WebServer } from './web-server.ts';

export interface PageOptions {
  apiKey: string;
  /** Where presigned uploads go. */
  uploadOrigin: string;
  /** Makes the test clip and uploads it; resolves with what the page is told of the video. */
  uploadTestClip(): Promise<object>;
}

export async function servePage(
  web: WebServer,
  pageDirectory: string,
  { apiKey, uploadOrigin, uploadTestClip }: PageOptions,
): Promise<void> {
  await buildPage(pageDirectory);
  web.route(
    '/',
    await staticFiles(pageDirectory, {
      // The page may be open under another name of this machine than the one its videos have.
      'content-security-policy': contentSecurityPolicy([...new Set([web.baseUrl, uploadOrigin])]),
      'x-content-type-options': 'nosniff',
    }),
  );
  web.route('/config.json', (request, response) => {
    // Under any other name than ours, this may be a foreign page that had its name point here.
    sendJson(response, 200, { testClip: true, signIn: 'key', ...(isOurName(request) ? { apiKey } : {}) });
  });
  web.route('/local/test-clip', async (request, response) => {
    if (request.method !== 'POST' || !isFromOurPage(request)) return false;
    sendJson(response, 201, await uploadTestClip());
    return;
  });
}

const isOurName = (request: IncomingMessage): boolean =>
  /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(request.headers.host ?? '');

/** Browsers say which page a POST comes from. */
function isFromOurPage(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  return isOurName(request) && (origin === undefined || origin === `http://${host}`);
}
