import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { contentSecurityPolicy } from '../../core/access/content-security-policy.ts';
import { buildPage } from '../../web/build.ts';

let folder: string;
let page: string;
let assets: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'instant-hls-page-'));
  await buildPage(folder);
  await buildPage(folder); // twice: nothing of the first may be left over
  page = await readFile(join(folder, 'index.html'), 'utf8');
  assets = await readdir(join(folder, 'assets'));
});
afterAll(() => rm(folder, { recursive: true }));

const pointedTo = () => [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path!);

test('the page points only to files of the build, whose names tell their content', () => {
  const paths = pointedTo();
  expect(paths.length).toBeGreaterThanOrEqual(3);
  for (const path of paths) {
    expect(path).toMatch(/^\/assets\/[\w.]+-\w{8}\.(js|css|svg)$/);
    expect(assets).toContain(path.replace('/assets/', ''));
  }
});

test('each asset is there once', () => {
  const kinds = assets.map((name) => name.replace(/-\w{8}(?=\.)/, '')).sort();
  expect(kinds).toEqual([
    'chunk.js',
    'favicon.svg',
    'hls.min.js',
    'library.css',
    'main.js',
    'player.css',
    'style.css',
    'watch.js',
  ]);
});

test('nothing in the page needs a looser policy', () => {
  expect(page).not.toMatch(/<style|style="|<script(?![^>]*\bsrc=)|\son\w+="/);
  expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
});

test('the first load is at most 30 KB, and the player comes later', async () => {
  const [script] = assets.filter((name) => name.startsWith('main-'));
  const imported = /from"\.\/(chunk-\w+\.js)"/.exec(await readFile(join(folder, 'assets', script!), 'utf8'));
  expect(pointedTo()).toContain(`/assets/${imported![1]}`); // at once, and counted
  const first = await Promise.all([...new Set(pointedTo())].map((path) => readFile(join(folder, path))));
  const bytes = [Buffer.from(page), ...first].reduce((total, file) => total + gzipSync(file).length, 0);
  expect(bytes).toBeLessThan(30_000);
  expect(assets.some((name) => name.startsWith('hls.min') && !page.includes(name))).toBe(true);
});

test('the policy names where uploads go, and nothing is open without', () => {
  expect(contentSecurityPolicy()).toContain("default-src 'none'; script-src 'self'; ");
  expect(contentSecurityPolicy()).toContain("connect-src 'self'; ");
  const bucket = 'https://uploads.s3.eu-central-1.amazonaws.com';
  expect(contentSecurityPolicy([bucket])).toContain(`connect-src 'self' ${bucket}; `);
});
