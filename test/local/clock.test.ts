// A store whose clock is not this machine's.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkClock } from '../../local/clock.ts';
import { temporaryDirectory } from '../support/media.ts';
import { startSystem } from '../support/system.ts';

const MINUTE_MS = 60_000;
let minutesAhead = 0;
const store = createServer((_request, response) => {
  const date = new Date(Date.now() + minutesAhead * MINUTE_MS).toUTCString();
  response.writeHead(403, { date }).end();
});
let url: string;

beforeAll(async () => {
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  url = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
});
afterAll(() => {
  store.close();
  store.closeAllConnections();
});

test.each([
  [20, '20 minutes behind that of'],
  [-20, '20 minutes ahead of that of'],
])('%d minutes ahead is said in a sentence', async (minutes, words) => {
  minutesAhead = minutes;
  await expect(checkClock(url)).rejects.toThrow(words);
});

test.each([0, 5, -5])('%d minutes ahead is no matter', async (minutes) => {
  minutesAhead = minutes;
  await checkClock(url);
});

test('a store that does not answer is not for the clock to say', () => checkClock('http://127.0.0.1:9'));

test('npm start ends with the sentence, and nothing else', async () => {
  minutesAhead = 20;
  const directory = await temporaryDirectory();
  const environment = {
    S3_ENDPOINT: url,
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    AWS_REGION: 'us-east-1',
  };
  try {
    const failure = await startSystem(directory.path, environment).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).toMatch(
      /^the system exited with 1:\nThe clock of this machine is 20 minutes behind .+\.\n$/,
    );
  } finally {
    await directory.remove();
  }
});
