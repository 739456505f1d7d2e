// Serves a folder of built files from memory: it is small, and what is not in it cannot be asked for.

import { readFile, readdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { IMMUTABLE } from '../core/artifacts/artifacts.ts';

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

/**
 * Resolves with a function that answers GET and HEAD of the folder's files (`/` is `index.html`), and says `false`
 * where there is none. `headers` go with every answer.
 */
export async function staticFiles(directory: string, headers: Record<string, string>) {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(directory.length).replaceAll('\\', '/'), await readFile(path));
  }
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const [path = '/'] = (request.url ?? '/').split('?');
    const name = path === '/' ? '/index.html' : path;
    const file = files.get(name);
    if (!file || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
    response.writeHead(200, {
      'content-type': CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
      'content-length': file.length,
      // Built files carry a hash in their names; the page that names them does not.
      'cache-control': name.endsWith('.html') ? 'no-cache' : IMMUTABLE,
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : file);
    return true;
  };
}
