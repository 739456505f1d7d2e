// The functions that check requests at the edge, evaluated as CloudFront would: with its two modules, its globals, and none
// of Node's.

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SourceTextModule, SyntheticModule, createContext } from 'node:vm';

export const edgeSource = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../lib/${name}.cf.js`), 'utf8');

export interface EdgeRequest {
  method: string;
  uri: string;
}
export interface EdgeResponse {
  statusCode: number;
  headers: Record<string, { value: string }>;
  body: { data: string };
}

/**
 * Evaluates a file with what the edge's KeyValueStore holds, at a moment, and returns its handler.
 * @param held undefined where the store does not answer
 */
export async function edge(
  name: 'playback-token' | 'video-id',
  held: Partial<Record<string, string>> | undefined,
  now: Date = new Date(),
) {
  const context = createContext(
    { Buffer, console: { log() {} }, FixedDate: class extends Date {} },
    { codeGeneration: { strings: false, wasm: false } }, // no eval there
  );
  const module = new SourceTextModule(
    `Date.now = () => ${now.getTime()};\n${edgeSource(name)}\nexport { handler };`,
    {
      context,
    },
  );
  const modules: Record<string, object> = {
    cloudfront: {
      kvs: () => ({
        async get(key: string) {
          const value = held?.[key];
          if (value === undefined) throw new Error('KeyNotFound');
          return value;
        },
        async exists(key: string) {
          if (!held) throw new Error('The store does not answer.');
          return held[key] !== undefined;
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
