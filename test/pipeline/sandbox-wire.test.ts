// What a sandbox says is believed no more than an upload: a broker takes it apart, or fails with a code.

import {
  FfmpegError,
  OutageError,
  RequestError,
  SourceError,
  notFound,
  sourceReplaced,
} from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { Grants, Reply, Task } from '../../pipeline/sandbox/sandbox.ts';
import { DONE, framed, framedFailure, requestOf, taskIn, tellReplies } from '../../pipeline/sandbox/wire.ts';
import type { SandboxRequest } from '../../pipeline/sandbox/wire.ts';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function told(bytes: readonly Uint8Array[], pieceBytes = 7): Promise<Reply[]> {
  const replies: Reply[] = [];
  await tellReplies(inPieces(Buffer.concat(bytes), pieceBytes), (reply) => void replies.push(reply));
  return replies;
}

const SEGMENT: Reply = {
  ...{ kind: 'segment', rendition: '360p', index: 3, rescue: 'held' },
  made: { bytes: Buffer.from('some bytes') },
};
const READ: Reply = { kind: 'read', sourceBytesRead: 17 };

test.each([1, 7, 1000])('replies arrive as they were sent, in pieces of %i bytes', async (pieceBytes) => {
  const stored: Reply = { kind: 'segment', rendition: '360p', index: 4, made: { outcome: 'exists' } };
  const sent = [SEGMENT, stored, { kind: 'bytes', bytes: Buffer.from('ä') } as Reply, READ];
  const replies = await told([...sent.map(framed), DONE], pieceBytes);
  expect(replies).toEqual(sent);
});

test.each([
  ['a refusal', new SourceError('ENCRYPTED')],
  ['an outage', new OutageError('STORAGE_FULL')],
  ['a source that is gone', notFound('such source')],
  ['another source', sourceReplaced()],
  [
    'ffmpeg',
    new FfmpegError('segments 0 to 1', { command: 'ffmpeg -i x', stderrTail: 'a\nb', signal: 'SIGSEGV' }),
  ],
  ['what nobody has foreseen', new Error('one two')],
])('a failure arrives as what it was: %s', async (_, error) => {
  const failed = await told([framed(READ), framedFailure(error)]).catch((caught: unknown) => caught);
  expect(failed).toEqual(error);
  expect((failed as Error).constructor).toBe(error.constructor);
});

const raw = (head: string, body = ''): Buffer => {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(Buffer.byteLength(head), 0);
  lengths.writeUInt32BE(Buffer.byteLength(body), 4);
  return Buffer.concat([lengths, Buffer.from(head + body)]);
};
const HUGE = Buffer.alloc(8);
HUGE.writeUInt32BE(2 ** 31, 4);

test.each([
  ['nothing', []],
  ['half a reply', [framed(SEGMENT).subarray(0, 30)]],
  ['replies, and then nothing', [framed(READ)]],
  ['no JSON', [raw('{')]],
  ['a kind that there is not', [raw('{"kind":"credentials"}')]],
  ['a plan that is none', [raw('{"kind":"planned","plan":{"rev":"a"},"sourceBytesRead":1}')]],
  ['a segment before the first', [raw('{"kind":"segment","rendition":"360p","index":-1}')]],
  ['more than anybody may make', [HUGE]],
])('%s: an outage of the sandbox, which says nothing of the source', async (_, bytes) => {
  await expect(told(bytes)).rejects.toMatchObject({ code: 'TOOL_UNAVAILABLE' });
});

test.each([
  ['a code that there is not', { type: 'SourceError', code: 'UGLY' }],
  ['a status for another', { type: 'RequestError', code: 'X', status: 401 }],
  ['a record', { type: 'RecordError', code: 'RECORD_TOO_NEW' }],
])('an error of %s is none of ours', async (_, error) => {
  const failed = await told([raw(JSON.stringify({ kind: 'failed', message: 'm', ...error }))]).catch(
    (caught: unknown) => caught,
  );
  expect(failed).toBeInstanceOf(Error);
  expect(failed).not.toBeInstanceOf(SourceError);
  expect(failed).not.toBeInstanceOf(RequestError);
  expect((failed as Error).name).toBe('Error');
});

const settings = { ...DEFAULT_LIMITS, prewarm: 'all' } as const;
const PLANNING: Task = { kind: 'plan', object: { sizeBytes: 9, etag: 'e' }, settings, foresees: true };

test('a request holds links, and nothing by which more could be had', async () => {
  const source = {
    ...{ sizeBytes: 9, etag: 'e', identity: { within: {}, name: 'id e' } },
    link: () => Promise.resolve('https://bucket/source?signed'),
    read: () => Promise.reject(new Error('not here')),
  };
  const link = { url: 'https://bucket/v/a?signed', headers: { 'if-none-match': '*' } };
  const segments = new Map([
    ['360p/0', { put: () => Promise.reject(new Error('not here')), link: () => Promise.resolve(link) }],
  ]);
  const copy: Grants['copy'] = {
    part: () => Promise.reject(new Error('not here')),
    partLinks: (numbers) =>
      Promise.resolve({ url: 'https://bucket/copy', signatures: numbers.map((number) => [number, 's']) }),
  };
  const grants = { id: 'id', source, segments, copy };
  const request = JSON.parse(
    JSON.stringify(await requestOf(PLANNING, grants, { secondsLeft: () => 5 })),
  ) as SandboxRequest;
  const { copy: parts, ...links } = request.links;
  expect(links).toEqual({
    id: 'id',
    source: {
      ...{ url: 'https://bucket/source?signed', sizeBytes: 9, etag: 'e', name: 'id e', isCopy: false },
    },
    segments: { '360p/0': link },
  });
  // Of two copies, side by side.
  const numbers = parts!.signatures.map(([number]) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(Math.max(...numbers)).toBeLessThanOrEqual(10_000);
  expect(request.secondsLeft).toBe(5);
  // What has no limit has none there.
  expect(taskIn(request)).toEqual(PLANNING);
});

test('what a newer release asks is refused', () => {
  expect(() => taskIn({ version: 2, task: PLANNING })).toThrow('a request of version 2');
});
