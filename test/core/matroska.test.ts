// A Matroska stream passes through the indexer unchanged, however it is cut into pieces on its way.

import { matroskaIndexer } from '../../core/source/matroska.ts';

const size = (bytes: number): Buffer => {
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64BE(BigInt(bytes));
  eight[0] = 1;
  return eight;
};
const element = (id: string, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(id, 'hex'), size(content.length), content]);
const block = (milliseconds: number, bytes: number): Buffer => {
  const head = Buffer.from([0x81, 0, milliseconds, 0x80]);
  return element('a3', Buffer.concat([head, Buffer.alloc(bytes, milliseconds)]));
};

const HEAD = Buffer.concat([
  element('1a45dfa3', Buffer.alloc(0)),
  Buffer.from('18538067', 'hex'),
  size(2 ** 40),
  // One track, number 1, of pictures.
  element('1654ae6b', element('ae', Buffer.from('d78101838101', 'hex'))),
]);
const CLUSTER = Buffer.concat([Buffer.from('1f43b675', 'hex'), size(2 ** 39), Buffer.from('e78100', 'hex')]);
// The largest is larger than all pieces but the last.
const MEDIA = Buffer.concat([CLUSTER, block(0, 10), block(40, 5000), block(80, 0), block(120, 300)]);

test.each([1, 13, 1000, 4096, 1_000_000])('in pieces of %i bytes', (pieceBytes) => {
  const stream = Buffer.concat([HEAD, MEDIA]);
  const indexer = matroskaIndexer();
  const passed: Uint8Array[] = [];
  for (let from = 0; from < stream.length; from += pieceBytes) {
    passed.push(...indexer.push(stream.subarray(from, from + pieceBytes)));
  }
  expect(Buffer.concat(passed).equals(MEDIA)).toBe(true);
  expect(indexer.end().tracks).toMatchObject([
    { kind: 'video', frameCount: 4, firstSeconds: 0, endSeconds: 0.16, keyframeSeconds: 0.04 },
  ]);
});

test('a checksum of a cluster stays in it, and what lies beside clusters is left out', () => {
  const checksum = element('bf', Buffer.alloc(4, 7));
  const cluster = element('1f43b675', Buffer.concat([checksum, Buffer.from('e78100', 'hex'), block(0, 10)]));
  const [placeholder, tags] = [element('ec', Buffer.alloc(20)), element('1254c367', Buffer.alloc(20))];
  const head = Buffer.concat([
    element('1a45dfa3', Buffer.alloc(0)),
    Buffer.from('18538067', 'hex'),
    size(2 ** 40),
  ]);
  const tracks = HEAD.subarray(HEAD.indexOf(Buffer.from('1654ae6b', 'hex')));
  const indexer = matroskaIndexer();
  const passed = indexer.push(Buffer.concat([head, placeholder, tracks, cluster, tags, cluster]));
  expect(Buffer.concat(passed).equals(Buffer.concat([cluster, cluster]))).toBe(true);
});
