// Loaded before a server (`node --import`): writes down when each process of ffmpeg runs and when each request is answered,
// a line of JSON each, into the file that TRACE_FILE names. Nothing of the server knows of it.

import childProcess from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

/** Times are in milliseconds since the epoch. */
export interface Traced {
  kind: 'process' | 'request';
  what: string;
  from: number;
  to: number;
}

const path = process.env['TRACE_FILE'];
if (path) traceInto(path);

function traceInto(path: string): void {
  const note = (traced: Traced) => appendFileSync(path, `${JSON.stringify(traced)}\n`);
  const now = (): number => performance.timeOrigin + performance.now();

  const spawn = childProcess.spawn as (...args: unknown[]) => childProcess.ChildProcess;
  const traced = (...args: unknown[]): childProcess.ChildProcess => {
    const from = now();
    const child = spawn(...args);
    child.once('close', () => note({ kind: 'process', what: child.spawnargs.join(' '), from, to: now() }));
    return child;
  };
  childProcess.spawn = traced as typeof childProcess.spawn;
  syncBuiltinESMExports();

  const begun = new WeakMap<IncomingMessage, number>();
  subscribe('http.server.request.start', (message) => {
    begun.set((message as { request: IncomingMessage }).request, now());
  });
  subscribe('http.server.response.finish', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const range = request.headers.range ?? '';
    const what = `${request.method} ${request.url} ${range} ${response.statusCode}`;
    note({ kind: 'request', what, from: begun.get(request) ?? NaN, to: now() });
  });
}
