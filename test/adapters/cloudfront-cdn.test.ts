// Invalidations, as CloudFront's protocol has them.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { cloudFrontCdn } from '../../adapters/cloudfront-cdn.ts';

const errorXml = (code: string) =>
  `<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>No.</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
const created =
  '<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>I1</Id><Status>InProgress</Status></Invalidation>';

/** Answers each request with the next of these. */
async function cloudFront(...answers: [status: number, body: string][]) {
  const requests: { line: string; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ line: `${request.method} ${request.url}`, body });
      const [status, answer] = answers.length > 1 ? answers.shift()! : answers[0]!;
      response.writeHead(status, { 'Content-Type': 'text/xml' }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new CloudFrontClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'id', secretAccessKey: 'key' },
    maxAttempts: 1,
  });
  return {
    requests,
    cdn: cloudFrontCdn(client, 'E123'),
    close: () => {
      client.destroy();
      server.close();
    },
  };
}

test('all below a path is forgotten, by a request of its own each time', async () => {
  const { cdn, requests, close } = await cloudFront([201, created]);
  expect([await cdn.forget('/v/a/'), await cdn.forget('/v/a/')]).toEqual([true, true]);
  close();
  const [first, second] = requests.map(({ body }) => body);
  expect(requests.map(({ line }) => line)).toEqual(
    Array(2).fill('POST /2020-05-31/distribution/E123/invalidation'),
  );
  expect(first).toContain('<Paths><Quantity>1</Quantity><Items><Path>/v/a/*</Path></Items></Paths>');
  // CloudFront does nothing for a reference that it knows.
  const referenceIn = (body = '') => /<CallerReference>(.+?)</.exec(body)?.[1];
  expect(referenceIn(first)).toBeDefined();
  expect(referenceIn(second)).not.toBe(referenceIn(first));
});

test.each([
  ['TooManyInvalidationsInProgress', 400],
  ['Throttling', 400],
  ['ThrottlingException', 429],
])('where it is at as many as it can be (%s), it is not now', async (code, status) => {
  const { cdn, close } = await cloudFront([status, errorXml(code)]);
  expect(await cdn.forget('/v/a/')).toBe(false);
  close();
});

test.each([
  ['AccessDenied', 403],
  ['InternalError', 500],
])('what else goes wrong (%s) is an outage', async (code, status) => {
  const { cdn, close } = await cloudFront([status, errorXml(code)]);
  await expect(cdn.forget('/v/a/')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  close();
});
