import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEEP_ALIVE_MS } from '../../local/http-server.ts';
import { openWebServer } from '../../local/web-server.ts';

let web: Awaited<ReturnType<typeof openWebServer>>;
beforeAll(async () => {
  web = await openWebServer(0);
  web.route('/hello', (_request, response) => void response.end('hello'));
});
afterAll(() => web.close());

test.each(['/hello', '/nothing-here'])(
  'no answer is taken for another type than it says: %s',
  async (path) => {
    const { headers } = await fetch(web.baseUrl + path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  },
);

test('a connection that rests stays open for longer than clients keep it', async () => {
  // They are told, and Node's own clients keep to it.
  const { headers } = await fetch(`${web.baseUrl}/hello`);
  expect(headers.get('keep-alive')).toBe(`timeout=${KEEP_ALIVE_MS / 1000}`);

  const socket = connect(Number(new URL(web.baseUrl).port), '127.0.0.1');
  expect(await asked(socket)).toMatch(/^HTTP\/1.1 200 [^]*hello$/);
  await sleep(7_000); // Node's servers hang up after five or six
  expect(await asked(socket)).toMatch(/^HTTP\/1.1 200 [^]*hello$/);
  socket.destroy();
});

/** What comes for a request on this connection. */
async function asked(socket: Socket): Promise<string> {
  let answer = '';
  const hear = (bytes: Buffer) => (answer += bytes.toString());
  socket.on('data', hear).write('GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n');
  while (!answer.endsWith('hello')) await Promise.race([once(socket, 'data'), left(socket)]);
  socket.off('data', hear);
  return answer;
}

async function left(socket: Socket): Promise<never> {
  await once(socket, 'close');
  throw new Error('The server has hung up.');
}
