// A store that has bad days: a proxy before any S3 that answers some requests late, in part, wrongly or not at all. What
// happens to a request follows from a seed, from the request, and from how often it was made before, but not from what
// else runs at the time: the same seed meets the same requests with the same faults.

import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SOURCES } from '../../core/artifacts/keys.ts';
import { randomNumbers } from './random-numbers.ts';

export const FAULT_KINDS = [
  'reset', // the connection breaks before an answer
  'cut off', // and in mid-body
  'short body', // the connection ends in order, before Content-Length is reached
  'short read', // less of a range than was asked for, and headers that agree with that
  'short artifact', // half of an object, and headers that agree with that
  'wrong ETag',
  'SlowDown',
  'InternalError',
  'AccessDenied',
  'full', // no space left for a write
  'refused write', // the connection breaks before a byte of it is taken
  'lost answer', // the store has written, but nobody hears of it
  'slow', // begins to answer late
  'trickled', // answers piece by piece
  'hanging', // never answers
  'hanging in mid-body',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * What a system asks of its store: `reads` are of bytes, `all` is that and everything else. And `uploads`, what others do
 * with addresses that it signed for them.
 */
export type Matching = 'source reads' | 'artifact reads' | 'writes' | 'uploads' | 'all';

export interface Fault {
  kind: FaultKind;
  /** Of the requests that it can happen to, 0 to 1. */
  share: number;
  matching: Matching;
  /** Whether it happens to any object once at most, or, where it has happened once, always. */
  perObject?: 'once' | 'always';
}

export interface InjectedFault {
  kind: FaultKind;
  at: Date;
  /** Whether it was one of those that happen for a while only. */
  isOutage: boolean;
  /** `GET v/…/00003.ts bytes=0-99` */
  request: string;
}

export interface FaultyStore {
  endpoint: string;
  /** What happens from now on, in place of what was planned before. */
  plan(faults: readonly Fault[]): void;
  /** What happens for a while, before what is planned. Resolves when it is over. */
  during(seconds: number, faults: readonly Fault[]): Promise<void>;
  /** All that has happened so far. */
  injected: readonly InjectedFault[];
  /** Requests so far, faulted or not. */
  requests(): number;
  /** Those of them that change something. */
  writes(): number;
  close(): Promise<void>;
}

export interface FaultyStoreOptions {
  /** Of the store behind. */
  endpoint: string;
  seed: number;
  /** How late `slow` is, and how long `trickled` takes. */
  slowSeconds?: number;
  /** When a connection that hangs is given up on this side. */
  hangSeconds?: number;
}

export async function faultyStore({
  endpoint,
  seed,
  slowSeconds = 1,
  hangSeconds = 60,
}: FaultyStoreOptions): Promise<FaultyStore> {
  const behind = new URL(endpoint);
  // A connection for each request: one that is kept may be closed by the store just then, and that would be a fault that
  // nobody planned.
  const agent = new Agent({ keepAlive: false });
  const closing = new AbortController();
  const injected: InjectedFault[] = [];
  const asked = new Map<string, number>();
  const struck = new Map<Fault, Set<string>>();
  const ordinals = new Map<string, number>();
  let planned: readonly Fault[] = [];
  let passing: readonly Fault[] = [];
  let requests = 0;
  let writes = 0;

  /** Video ids are random; their order is not. */
  function nameOf({ method, target, range }: Asked): string {
    const stable = target.replaceAll(/\b[0-9a-z]{34}\b/g, (id) => {
      if (!ordinals.has(id)) ordinals.set(id, ordinals.size);
      return String(ordinals.get(id));
    });
    return `${method} ${stable} ${range ?? ''}`;
  }

  function chosen(call: Asked): { fault: Fault; random: () => number } | undefined {
    const name = nameOf(call);
    const times = asked.get(name) ?? 0;
    asked.set(name, times + 1);
    const random = randomNumbers(`${seed} ${times} ${name}`);
    for (const fault of [...passing, ...planned]) {
      if (!matches(call, fault.matching) || !CAN_HAPPEN[fault.kind](call)) continue;
      const hit = struck.get(fault)?.has(call.key) ?? false;
      const isHit = random() < fault.share;
      if (hit && fault.perObject === 'once') continue;
      if (isHit || (hit && fault.perObject === 'always')) return { fault, random };
    }
    return undefined;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1;
    const call = askedOf(request);
    if (!isRead(call)) writes += 1;
    const choice = chosen(call);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, closing.signal]);
    if (!choice) return pass(await forwarded(request, signal), response);
    const { fault, random } = choice;
    const happened = (): void => {
      struck.set(fault, (struck.get(fault) ?? new Set()).add(call.key));
      const words = [call.method, call.target, call.range].filter((word) => word !== undefined);
      const isOutage = !planned.includes(fault);
      injected.push({ kind: fault.kind, at: new Date(), isOutage, request: words.join(' ') });
    };
    const reset = (): void => void request.socket.resetAndDestroy();
    const hang = async (): Promise<void> => {
      await sleep(hangSeconds * 1000, undefined, { signal });
      reset();
    };

    const refusal = REFUSALS[fault.kind];
    if (refusal) {
      happened();
      request.resume();
      await once(request, 'end', { signal });
      const [status, code] = refusal;
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(request.method === 'HEAD' ? undefined : body);
      return;
    }
    switch (fault.kind) {
      case 'reset':
      case 'refused write':
        happened();
        return reset();
      case 'hanging':
        happened();
        return hang();
      case 'slow':
        happened();
        await sleep(slowSeconds * 1000, undefined, { signal });
        return pass(await forwarded(request, signal), response);
      case 'lost answer': {
        const answer = await forwarded(request, signal);
        answer.resume();
        await once(answer, 'end', { signal });
        happened();
        return reset();
      }
    }

    const answer = await forwarded(request, signal);
    const length = Number(answer.headers['content-length'] ?? 0);
    const isGood = answer.statusCode === 200 || answer.statusCode === 206;
    const part = Math.floor(random() * length);
    const begin = (changes: IncomingHttpHeaders = {}): void => {
      response.writeHead(answer.statusCode!, { ...withoutHop(answer.headers), ...changes });
    };
    if (!isGood || (length === 0 && fault.kind !== 'wrong ETag')) return pass(answer, response);
    switch (fault.kind) {
      case 'cut off':
      case 'short body':
      case 'hanging in mid-body':
        happened();
        begin();
        response.flushHeaders();
        await sendUpTo(part, answer, response);
        if (fault.kind === 'hanging in mid-body') return hang();
        // What is still on its way arrives before the end, but not always before a reset.
        if (fault.kind === 'cut off') return reset();
        response.socket?.end();
        return;
      case 'short read': {
        const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '');
        if (!range || length < 2) return pass(answer, response);
        happened();
        const bytes = Math.max(1, part);
        const [first, whole] = [Number(range[1]), range[2]];
        const contentRange = `bytes ${first}-${first + bytes - 1}/${whole}`;
        begin({ 'content-length': String(bytes), 'content-range': contentRange });
        await sendUpTo(bytes, answer, response);
        response.end();
        return;
      }
      case 'short artifact': {
        happened();
        const bytes = length >> 1;
        begin({ 'content-length': String(bytes) });
        await sendUpTo(bytes, answer, response);
        response.end();
        return;
      }
      case 'wrong ETag':
        if (!answer.headers.etag) return pass(answer, response);
        happened();
        begin({ etag: '"d41d8cd98f00b204e9800998ecf8427e"' });
        return pipeline(answer, response);
      case 'trickled': {
        happened();
        begin();
        const pieces = 8;
        await sendUpTo(length, answer, response, {
          mostBytes: Math.ceil(length / pieces),
          pause: () => sleep((slowSeconds * 1000) / pieces, undefined, { signal }),
        });
        response.end();
        return;
      }
      default:
        return pass(answer, response);
    }
  }

  async function forwarded(request: IncomingMessage, signal: AbortSignal): Promise<IncomingMessage> {
    const outgoing = httpRequest({
      ...{ host: behind.hostname, port: behind.port, agent, signal },
      // Host as it was sent: it is part of the signature.
      ...{ method: request.method, path: request.url, headers: withoutHop(request.headers) },
    });
    const [[answer]] = await Promise.all([
      once(outgoing, 'response', { signal }) as Promise<[IncomingMessage]>,
      pipeline(request, outgoing),
    ]);
    return answer;
  }

  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    // Whoever asked has left, or the store behind: either way the connection ends.
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan(faults) {
      planned = faults;
    },
    async during(seconds, faults) {
      passing = [...faults, ...passing];
      await sleep(seconds * 1000, undefined, { signal: closing.signal }).catch(() => undefined);
      passing = passing.filter((fault) => !faults.includes(fault));
    },
    injected,
    requests: () => requests,
    writes: () => writes,
    async close() {
      closing.abort();
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** How many faults there were of each kind. */
export function countByKind(injected: readonly InjectedFault[]): Map<FaultKind, number> {
  const counts = new Map<FaultKind, number>();
  for (const { kind } of injected) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** As far as it decides what can happen. */
interface Asked {
  method: string;
  /** The key, and what of the query is not random. */
  target: string;
  key: string;
  range: string | undefined;
  isUpload: boolean;
}

function askedOf({ method = 'GET', url = '/', headers }: IncomingMessage): Asked {
  const { pathname, searchParams } = new URL(url, 'http://store');
  const [, , ...names] = pathname.split('/');
  const key = names.join('/');
  const query = [...searchParams]
    .filter(([name]) => !/^(x-amz-|uploadId$|continuation-token$)/i.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&');
  const isSigned = searchParams.has('X-Amz-Signature');
  const isOfUpload = key.startsWith(SOURCES) && (method !== 'GET' || searchParams.has('uploadId'));
  const isForm = /^multipart\/form-data/.test(headers['content-type'] ?? '');
  return {
    ...{ method, key, range: headers.range },
    target: query ? `${key}?${query}` : key,
    // By a link a sandbox reads the source and writes what it makes, too: that is the system itself.
    isUpload: isForm || (isSigned && isOfUpload),
  };
}

const isRead = ({ method }: Asked): boolean => method === 'GET' || method === 'HEAD';
const isGet = ({ method }: Asked): boolean => method === 'GET';

function matches(call: Asked, matching: Matching): boolean {
  if (call.isUpload || matching === 'uploads') return call.isUpload && matching === 'uploads';
  switch (matching) {
    case 'source reads':
      return isGet(call) && /^(uploads\/.*\/source|mezzanine\/.*\.mkv)$/.test(call.key);
    case 'artifact reads':
      return isGet(call) && call.key.startsWith('v/');
    case 'writes':
      return !isRead(call);
    case 'all':
      return true;
  }
}

const anyCall = (): boolean => true;
const isWrite = (call: Asked): boolean => !isRead(call);

const CAN_HAPPEN: Record<FaultKind, (call: Asked) => boolean> = {
  reset: anyCall,
  'cut off': isGet,
  'short body': isGet,
  'short read': (call) => isGet(call) && call.range !== undefined,
  'short artifact': (call) => isGet(call) && call.range === undefined && call.key !== '',
  'wrong ETag': (call) => isGet(call) || call.method === 'HEAD',
  SlowDown: anyCall,
  InternalError: anyCall,
  AccessDenied: anyCall,
  full: isWrite,
  'refused write': isWrite,
  'lost answer': isWrite,
  slow: anyCall,
  trickled: isGet,
  hanging: anyCall,
  'hanging in mid-body': isGet,
};

/** What S3 and its like say: status and code. */
const REFUSALS: Partial<Record<FaultKind, [number, string]>> = {
  SlowDown: [503, 'SlowDown'],
  InternalError: [500, 'InternalError'],
  AccessDenied: [403, 'AccessDenied'],
  full: [507, 'InsufficientStorage'],
};

async function pass(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(answer.statusCode!, withoutHop(answer.headers));
  await pipeline(answer, response);
}

async function sendUpTo(
  bytes: number,
  answer: IncomingMessage,
  response: ServerResponse,
  { mostBytes, pause }: { mostBytes: number; pause?: () => Promise<void> } = { mostBytes: Infinity },
): Promise<void> {
  let left = bytes;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length && left > 0;) {
      const piece = chunk.subarray(at, at + Math.min(left, mostBytes));
      left -= piece.length;
      at += piece.length;
      if (!response.write(piece)) await once(response, 'drain');
      await pause?.();
    }
    if (left === 0) break; // which also hangs up on the store
  }
}

/** Without the headers that hold for one connection only. */
function withoutHop({ ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  for (const name of ['connection', 'keep-alive', 'expect']) delete headers[name];
  return headers;
}
