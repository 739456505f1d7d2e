// The function that checks tokens at the edge, evaluated as CloudFront would: with its two modules, its globals, and
// none of Node's.

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SourceTextModule, SyntheticModule, createContext } from 'node:vm';

export const EDGE_SOURCE = readFileSync(join(import.meta.dirname, '../../lib/playback-token.cf.js'), 'utf8');

export interface EdgeRequest {
  method: string;
  uri: string;
}
export interface EdgeResponse {
  statusCode: number;
  headers: Record<string, { value: string }>;
  body: { data: string };
}

/** Evaluates the file with the edge's copy of the secrets, at a moment, and returns its handler. */
export async function edge(secrets: Partial<Record<string, string>>, now: Date) {
  const context = createContext(
    { Buffer, console: { log() {} }, FixedDate: class extends Date {} },
    { codeGeneration: { strings: false, wasm: false } }, // no eval there
  );
  const module = new SourceTextModule(
    `Date.now = () => ${now.getTime()};\n${EDGE_SOURCE}\nexport { handler };`,
    {
      context,
    },
  );
  const modules: Record<string, object> = {
    cloudfront: {
      kvs: () => ({
        async get(key: string) {
          const value = secrets[key];
          if (value === undefined) throw new Error('KeyNotFound');
          return value;
        },
      }),
    },
    crypto: { createHmac },
  };
  await module.link((name) => {
    const found = modules[name];
    if (!found) throw new Error(`CloudFront Functions have no module ${name}.`);
    return new SyntheticModule(
      ['default'],
      function () {
        this.setExport('default', found);
      },
      { context },
    );
  });
  await module.evaluate();
  const { handler } = module.namespace as {
    handler(event: { request: EdgeRequest }): Promise<EdgeRequest | EdgeResponse>;
  };
  return handler;
}
