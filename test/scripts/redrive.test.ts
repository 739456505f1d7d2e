// The operator's command, a process of its own, against CloudFormation, SQS and Lambda as they answer over HTTP.

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../lib/support/variants.ts';
import { serveAwsJson } from '../support/account/aws-json.ts';
import { serveLambdaApi } from '../support/account/lambda-api.ts';
import { listening } from '../support/account/listening.ts';
import { ServiceError } from '../support/account/state-machine.ts';

interface Message {
  MessageId: string;
  Body: string;
  sentAt: number;
  /** Of the last time that it was received; until then nobody else gets it. */
  receipt?: { handle: string; invisibleUntil: number };
}

interface Call {
  functionName: string;
  event: unknown;
  isAsync: boolean;
}

/** By the last part of their URL. */
let queues: Record<string, Message[]>;
let calls: Call[];
/** Asked before each call: throws what Lambda's API answers. */
let refuse: (call: Call) => void;
let environment: Record<string, string>;
const servers: { close(): void }[] = [];

beforeAll(async () => {
  const queueOf = ({ QueueUrl = '' }) => queues[QueueUrl.split('/').at(-1)!]!;
  const sqs = await serveAwsJson({
    'AmazonSQS.ReceiveMessage': (request) => {
      const { MaxNumberOfMessages, VisibilityTimeout } = request as unknown as Record<string, number>;
      const visible = queueOf(request).filter(
        ({ receipt }) => !receipt || receipt.invisibleUntil < Date.now(),
      );
      return {
        Messages: visible.slice(0, MaxNumberOfMessages).map((message) => {
          const invisibleUntil = Date.now() + VisibilityTimeout! * 1000;
          message.receipt = { handle: randomUUID(), invisibleUntil };
          return {
            MessageId: message.MessageId,
            Body: message.Body,
            MD5OfBody: createHash('md5').update(message.Body).digest('hex'),
            ReceiptHandle: message.receipt.handle,
            Attributes: { SentTimestamp: String(message.sentAt) },
          };
        }),
      };
    },
    'AmazonSQS.DeleteMessage': (request) => {
      const queue = queueOf(request);
      const index = queue.findIndex(({ receipt }) => receipt?.handle === request['ReceiptHandle']);
      if (index < 0) throw new ServiceError('ReceiptHandleIsInvalid', 'no such receipt');
      queue.splice(index, 1);
      return {};
    },
  });
  const lambda = await serveLambdaApi(async (call) => {
    refuse(call);
    calls.push(call);
    return { payload: null };
  });
  const cloudFormation = await listening((request, response) => {
    void (async () => {
      const asked = new URLSearchParams(await text(request));
      const next = asked.get('NextToken');
      response.writeHead(asked.get('StackName') === 'InstantHls' ? 200 : 400, { 'content-type': 'text/xml' });
      // A stack of many resources is told on two pages.
      response.end(
        asked.get('StackName') !== 'InstantHls'
          ? '<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id Other does not exist</Message></Error></ErrorResponse>'
          : `<ListStackResourcesResponse><ListStackResourcesResult>${
              next
                ? resources({ VideoJanitorDeadLetters91C0A9B2: `${sqs.endpoint}/1/cleanups` })
                : '<NextToken>second</NextToken>' +
                  resources({
                    VideoUploadEventsDeadLetters3F2A77D0: `${sqs.endpoint}/1/uploads`,
                    VideoBuckets0A1B2C3D: 'a-bucket',
                    OrdersDeadLetters0A1B2C3D: `${sqs.endpoint}/1/orders`,
                  })
            }</ListStackResourcesResult></ListStackResourcesResponse>`,
      );
    })();
  });
  servers.push(sqs, lambda, cloudFormation);
  environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
    AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.endpoint,
  };
});
afterAll(() => servers.forEach((server) => server.close()));

beforeEach(() => {
  queues = { uploads: [], cleanups: [], orders: [] };
  calls = [];
  refuse = () => undefined;
});

const resources = (urls: Record<string, string>): string =>
  `<StackResourceSummaries>${Object.entries(urls)
    .map(
      ([id, url]) =>
        `<member><LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>${url}</PhysicalResourceId></member>`,
    )
    .join('')}</StackResourceSummaries>`;

const eventOf = (key: string) => ({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key } } }] });
const arnOf = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;

/** As Lambda describes what it has given up. */
const givenUp = (name: string, key: string, sentAt = Date.now() - 60_000): Message => ({
  MessageId: randomUUID(),
  sentAt,
  Body: JSON.stringify({
    version: '1.0',
    timestamp: '2026-11-14T18:11:02.127Z',
    requestContext: {
      requestId: randomUUID(),
      functionArn: `${arnOf(name)}:$LATEST`,
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
    },
    requestPayload: eventOf(key),
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: 'Error', errorMessage: 'broken' },
  }),
});

function redrive(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = join(ROOT, 'scripts/redrive.ts');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, ...args],
      { env: environment },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('every event is sent to the function that it was for, as it was, and then leaves its queue', async () => {
  const keys = Array.from({ length: 23 }, (_, index) => `uploads/${index}/source`);
  queues['uploads'] = keys.map((key) => givenUp('ingest', key));
  queues['cleanups'] = [givenUp('janitor', 'tombstones/1.json')];
  queues['orders'] = [givenUp('orders', 'orders/1')]; // of somebody else's
  const { code, stdout, stderr } = await redrive('InstantHls');
  expect([code, stderr, stdout]).toEqual([
    0,
    '',
    'VideoUploadEventsDeadLetters3F2A77D0: 23 sent again, 0 left\n' +
      'VideoJanitorDeadLetters91C0A9B2: 1 sent again, 0 left\n',
  ]);
  const sent = calls.map(({ functionName, event, isAsync }) =>
    JSON.stringify([functionName, event, isAsync]),
  );
  expect(sent.sort()).toEqual(
    [
      ...keys.map((key) => JSON.stringify([arnOf('ingest'), eventOf(key), true])),
      JSON.stringify([arnOf('janitor'), eventOf('tombstones/1.json'), true]),
    ].sort(),
  );
  expect([queues['uploads'], queues['cleanups'], queues['orders']!.length]).toEqual([[], [], 1]);
});

test('what Lambda does not take stays, and so does what is no event; the others go', async () => {
  const refused = givenUp('ingest', 'uploads/refused/source');
  const foreign = { MessageId: randomUUID(), sentAt: 1, Body: 'hello' };
  queues['uploads'] = [refused, foreign, givenUp('ingest', 'uploads/taken/source')];
  refuse = ({ event }) => {
    if (JSON.stringify(event).includes('refused'))
      throw new ServiceError('InvalidParameterValueException', 'no');
  };
  const { code, stdout, stderr } = await redrive('InstantHls');
  expect([code, stdout.split('\n')[0]]).toEqual([
    1,
    'VideoUploadEventsDeadLetters3F2A77D0: 1 sent again, 2 left',
  ]);
  expect(stderr).toContain(`${refused.MessageId}: no`);
  expect(stderr).toContain(`${foreign.MessageId}: This is no event that Lambda has given up.`);
  expect(queues['uploads']).toEqual([refused, foreign]);
});

test('what fails again meanwhile is left for the next time', async () => {
  queues['uploads'] = [givenUp('ingest', 'uploads/1/source')];
  refuse = () => {
    if (calls.length < 20) queues['uploads']!.push(givenUp('ingest', 'uploads/1/source', Date.now()));
  };
  const { stdout } = await redrive('InstantHls');
  expect(stdout).toContain('VideoUploadEventsDeadLetters3F2A77D0: 1 sent again, 0 left');
  expect([calls.length, queues['uploads']!.length]).toEqual([1, 1]);
});

test.each([
  [['Other'], 'Stack with id Other does not exist\n'],
  [[], 'Say of which stack: npm run redrive -- STACK\n'],
])('%j: an error in a sentence', async (args, sentence) => {
  expect(await redrive(...args)).toEqual({ code: 1, stdout: '', stderr: sentence });
});
