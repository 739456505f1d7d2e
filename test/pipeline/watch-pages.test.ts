// The pages of one video, as the server writes them.

import { newVideoId } from '../../core/artifacts/keys.ts';
import { createUpload } from '../../pipeline/uploads/create-upload.ts';
import type { SignUpload } from '../../pipeline/uploads/sign-upload.ts';
import { watchPages } from '../../pipeline/http/watch-pages.ts';
import { memoryStore } from '../support/memory-store.ts';

const buckets = { media: memoryStore(), uploads: memoryStore() };
const pages = watchPages({
  buckets,
  pageFile: async () => '<head><!-- tags --></head><body><!-- video --></body>',
  isProtected: false,
  publicBaseUrl: 'http://localhost:3000',
});

async function pathOf(filename: string): Promise<string> {
  const request = { filename, contentType: 'video/mp4', sizeBytes: 6e9, expiresInSeconds: 60 };
  const world = { media: buckets.media, sign: {} as SignUpload, maxBytes: 1e10, key: 'key', now: new Date() };
  const { grant } = await createUpload(request, world);
  return `/watch/${grant.id}`;
}

const pageOf = async (filename: string): Promise<string> =>
  (await pages.request(await pathOf(filename))).text();

const contentOf = (page: string, name: string): string | undefined =>
  new RegExp(`<meta (?:property|name)="${name}" content="([^"]*)" />`).exec(page)?.[1];

test.each([
  [
    'markup',
    '</title><script>alert("1")</script>',
    '&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;',
  ],
  ['markup in pieces that nobody sees', '<\u202Escr\u0000ipt>\u2028"', '&lt;script&gt; &quot;'],
  ['the end of an attribute', `" onload='x' &`, '&quot; onload=&#39;x&#39; &amp;'],
  ['another order', 'photo\u202Egpj.exe', 'photogpj.exe'],
])('%s in a name is text in the title, the tags and the data', async (_, filename, escaped) => {
  const page = await pageOf(filename);
  expect(/<title>([^]*?)<\/title>/.exec(page)![1]).toBe(escaped);
  expect(contentOf(page, 'og:title')).toBe(escaped);
  expect(contentOf(page, 'twitter:title')).toBe(escaped);
  const data = /<script type="application\/json" id="video-data">([^]*?)<\/script>/.exec(page)![1]!;
  expect(data).not.toContain('<');
  expect(page).not.toMatch(/[\0\u202E\u2028]/);
});

test('who asks for its head alone is told the same, without the page', async () => {
  const path = await pathOf('film.mp4');
  const [whole, head] = [await pages.request(path), await pages.request(path, { method: 'HEAD' })];
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect([...head.headers]).toEqual([...whole.headers]);
});

test('a video that never was has a page that says so', async () => {
  const answer = await pages.request(`/watch/${newVideoId(new Date())}`);
  expect([answer.status, await answer.text()]).toEqual([
    404,
    expect.stringContaining('<title>Not found</title>'),
  ]);
});
