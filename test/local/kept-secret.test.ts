import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keptSecret } from '../../local/kept-secret.ts';
import { temporaryDirectory } from '../support/media.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

test('a secret is made once, and nobody else can read it', async () => {
  const path = join(directory.path, 'secret.json');
  expect(await keptSecret(path, () => ({ a: 'first' }))).toEqual({ a: 'first' });
  expect(await keptSecret(path, () => ({ a: 'second' }))).toEqual({ a: 'first' });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ a: 'first' });
});

test('a secret that cannot be read is not replaced: all that it signed would end', async () => {
  const path = join(directory.path, 'damaged.json');
  await writeFile(path, '{"a":');
  await expect(keptSecret(path, () => ({ a: 'new' }))).rejects.toThrow(`${path} is damaged`);
  expect(await readFile(path, 'utf8')).toBe('{"a":');
});
