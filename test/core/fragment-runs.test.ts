// Runs of samples that are given track fragments of their own, in files that are made to grow by that.

import { runsApart } from '../../core/source/fragment-runs.ts';

function box(type: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.reduce((sum, bytes) => sum + bytes.length, 8));
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

const numbers = (...values: number[]): Buffer =>
  Buffer.from(
    values.flatMap((value) => [value >>> 24, value >>> 16, value >>> 8, value].map((n) => n & 255)),
  );

/** A fragment of runs without a list of samples. */
const fragment = (runCount: number, tfhdPadding: number): Buffer =>
  box(
    'moof',
    box(
      'traf',
      box('tfhd', numbers(0x8, 1, 40), Buffer.alloc(tfhdPadding)),
      box('tfdt', numbers(0, 0)),
      ...Array<Buffer>(runCount).fill(box('trun', numbers(0, 1))),
    ),
  );

async function apart(file: Buffer): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const bytes of runsApart(
    (async function* () {
      yield file;
    })(),
  )) {
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

test('what has no meaning in the header of a track is not repeated with each of its runs', async () => {
  const written = await apart(fragment(1500, 200_000));
  expect(written.toString('latin1').match(/traf/g)).toHaveLength(1500);
  expect(written.length).toBeLessThan(200_000);
});

test('a fragment that would grow out of proportion stays as it is', async () => {
  const head = fragment(50_000, 0);
  expect((await apart(head)).equals(head)).toBe(true);
});
