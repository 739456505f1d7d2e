// Answers of `origin` as its function URL gets them: by AWS's event, written to the runtime's stream.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newVideoId, sourceKey } from '../../core/artifacts/keys.ts';
import { streamed } from '../../lambdas/streamed.ts';
import { httpOrigin } from '../../pipeline/http/origin.ts';
import { eventOf, httpOf } from '../support/account/cdn.ts';
import { putCard } from '../support/life.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';
import type { TestWorld } from '../support/world.ts';

// As the runtime's own code does it (aws/aws-lambda-nodejs-runtime-interface-client).
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: unknown) => handler,
    HttpResponseStream: {
      from(reply: PassThrough, head: object) {
        reply.write(JSON.stringify(head));
        reply.write(Buffer.alloc(8));
        return reply;
      },
    },
  },
});

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let world: TestWorld;
const id = newVideoId(new Date());
beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'clip.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=3'];
  await ffmpeg(...picture, '-c:v', 'libx264', '-preset', 'ultrafast', path);
  world = worldIn(directory.path);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), await readFile(path), { contentType: 'video/mp4' });
});
afterAll(() => directory.remove());

type Origin = ReturnType<typeof httpOrigin>;
async function ask(method: string, path: string, headers: Record<string, string> = {}, app?: Origin) {
  const handler = streamed(app ?? httpOrigin(world)) as unknown as (
    event: unknown,
    reply: PassThrough,
    context: object,
  ) => Promise<void>;
  const reply = new PassThrough();
  const written = buffer(reply);
  await handler(eventOf(path, method, headers), reply, {});
  return httpOf(await written, method); // throws where nothing follows the headers
}

test('HEAD has an artifact made that is not there yet, and says of it what GET says', async () => {
  const path = `/v/${id}/poster.jpg`;
  const head = await ask('HEAD', path);
  const get = await ask('GET', path);
  expect([head.status, head.headers['content-type']]).toEqual([200, 'image/jpeg']);
  expect(head.headers).toEqual({ ...get.headers, 'content-length': String(get.body.length) });

  const range = { range: 'bytes=10-29' };
  const part = await ask('HEAD', path, range);
  expect([part.status, part.headers['content-length']]).toEqual([206, '20']);
  expect(part.headers).toEqual({ ...(await ask('GET', path, range)).headers, 'content-length': '20' });
});

test.each([
  ['HEAD', 'what does not exist', `/v/${id}/nothing.ts`, {}, 404],
  ['HEAD', 'what is no artifact', '/plans/x.json', {}, 404],
  ['HEAD', 'bytes behind the end', `/v/${id}/poster.jpg`, { range: 'bytes=99999999-' }, 416],
  ['OPTIONS', 'an artifact', `/v/${id}/poster.jpg`, {}, 404],
])('%s of %s is answered with something that ends', async (method, _, path, headers, status) => {
  expect((await ask(method, path, headers)).status).toBe(status);
});

test('a request that nobody waits for any longer is answered with something that ends', async () => {
  const hungUp = AbortSignal.abort(new Error('hung up'));
  const { status } = await ask(
    'GET',
    '/v/nothing',
    {},
    httpOrigin(world, () => hungUp),
  );
  expect(status).toBe(503);
});
