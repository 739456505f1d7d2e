// docs/api.md and the OpenAPI document say what the running system does: the page's examples are run, and every answer to
// them is held against the document.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { httpServer } from '../../local/http-server.ts';
import { httpApi } from '../../pipeline/http/api.ts';
import type { ApiOptions } from '../../pipeline/http/api.ts';
import { openApi } from '../../pipeline/http/openapi/document.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { memoryStore } from '../support/memory-store.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';

type Json = any;

const PAGE = readFileSync('docs/api.md', 'utf8');
const document: Json = openApi('http://localhost:3000');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let witness: Awaited<ReturnType<typeof witnessOf>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=4', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=4'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-shortest'],
    join(directory.path, 'film.mp4'),
  );
  system = await startSystem(join(directory.path, 'data'), { DELETION_GRACE_HOURS: '24' });
  witness = await witnessOf(system.baseUrl);
});
afterAll(async () => {
  witness?.close();
  await system?.stop();
  await directory.remove();
});

test('the document is valid OpenAPI, and served', async () => {
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  const served = await (await fetch(`${system.baseUrl}/api/openapi.json`)).json();
  expect(served).toEqual({ ...document, servers: [{ url: `${system.baseUrl}/api` }] });
});

test('it describes every route of the API, and no other', () => {
  const stores = { media: memoryStore(), uploads: memoryStore() };
  const app = httpApi({ stores, publicBaseUrl: '' } as unknown as ApiOptions);
  const routes = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace('/api', '').replaceAll(/:(\w+)/g, '{$1}')}`);
  expect([...described().keys(), 'GET /openapi.json'].sort()).toEqual([...new Set(routes)].sort());
});

test('every example of docs/api.md prints what the page says, and every answer is as the document says', async () => {
  const steps = examplesOf(PAGE);
  expect(steps.length).toBeGreaterThan(5);
  // One shell for all of them, as a reader would have; what each prints ends with a line of its own.
  const script = steps.map(({ command }) => `${command}echo; echo "${END}"`).join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: directory.path,
    env: { ...process.env, API: `${witness.baseUrl}/api`, KEY: 'key' },
  });
  const printed = stdout.split(END).map((text) => text.trim());
  steps.forEach(({ output }, index) => {
    if (output === undefined) expect(printed[index]).toBe('');
    else expect(mismatches(JSON.parse(printed[index]!), JSON.parse(output))).toEqual([]);
  });

  expect(witness.objections).toEqual([]);
  const answered = new Set(witness.answered);
  expect([...described().keys()].filter((route) => !answered.has(route))).toEqual([]);
});

const END = '---- end of example ----';

/** The page's shell commands, each with the JSON that follows it. */
function examplesOf(page: string): { command: string; output: string | undefined }[] {
  return [...page.matchAll(/```sh\n([^]*?)```(?:\n\n```json\n([^]*?)```)?/g)].map(([, command, output]) => ({
    command: command!,
    output,
  }));
}

/** Where an answer differs from the page, in which `…` is any text and a number any number. */
function mismatches(found: Json, example: Json, path = '$'): string[] {
  if (typeof example === 'string' && example.includes('…')) {
    if (typeof found !== 'string') return [`${path}: ${found}`];
    const pattern = example.replaceAll(/[.+*?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.+');
    return new RegExp(`^${pattern}$`, 's').test(found) ? [] : [`${path}: ${found}`];
  }
  if (typeof example === 'number') return typeof found === 'number' ? [] : [`${path}: ${found}`];
  if (example === null || typeof example !== 'object') return found === example ? [] : [`${path}: ${found}`];
  if (found === null || typeof found !== 'object') return [`${path}: ${found}`];
  const names = new Set([...Object.keys(found), ...Object.keys(example)]);
  return [...names].flatMap((name) => {
    if (!(name in example)) return [`${path}.${name} is not on the page`];
    return mismatches(found[name], example[name], `${path}.${name}`);
  });
}

/** The described operations, by `METHOD /path`. */
function described(): Map<string, Json> {
  const operations = new Map<string, Json>();
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (method !== 'parameters') operations.set(`${method.toUpperCase()} ${path}`, operation);
    }
  }
  return operations;
}

/** A proxy that holds every answer of the API against the document. */
async function witnessOf(baseUrl: string) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (formats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema({ $id: 'document', ...(closed(document) as object) });
  const objections: string[] = [];
  const answered: string[] = [];

  function judge(method: string, path: string, status: number, type: string, body: string): void {
    const route = [...described().keys()].find((each) =>
      new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(`${method} ${path}`),
    );
    if (!route) return void objections.push(`${method} ${path} is not described`);
    answered.push(route);
    const answer = described().get(route).responses[status];
    if (!answer) return void objections.push(`${route}: ${status} is not described`);
    const schema = answer.content?.['application/json']?.schema;
    if (!schema) return void (body === '' || objections.push(`${route}: ${status} has no body`));
    if (!type.startsWith('application/json')) objections.push(`${route}: ${status} is ${type}`);
    const pointer = ['paths', route.split(' ')[1]!, method.toLowerCase(), 'responses', status, 'content']
      .concat('application/json', 'schema')
      .map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = ajv.getSchema(`document#/${pointer}`)!;
    if (!validate(JSON.parse(body))) {
      objections.push(`${route}: ${status}: ${ajv.errorsText(validate.errors)}`);
    }
  }

  const server = httpServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const upstream = request(`${baseUrl}${url}`, { method, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const path = new URL(url, baseUrl).pathname.replace('/api', '');
      judge(method, path, answer.statusCode!, answer.headers['content-type'] ?? '', body.toString());
      outgoing.writeHead(answer.statusCode!, answer.headers).end(body);
    });
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objections,
    answered,
    close: () => server.close(),
  };
}

/** An answer may hold what a reader of the document does not know yet; in our own tests it may not. */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
  return schema.type === 'object' && schema.properties && !('additionalProperties' in schema)
    ? { ...parts, additionalProperties: false }
    : parts;
}
