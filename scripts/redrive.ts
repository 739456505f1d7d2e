// Has functions of a deployed stack called again with the events that Lambda gave up (docs/operations.md, dead-letters):
//
//     npm run redrive -- <stack>
//
// An event leaves its queue when Lambda has taken it, not before: whatever ends this in the middle, nothing is lost, and an event
// that is sent twice does no harm.

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Message } from '@aws-sdk/client-sqs';
import { z } from 'zod';

/** The logical ids of those queues. */
export const DEAD_LETTERS = /(UploadEvents|Janitor)DeadLetters[0-9A-F]{8}$/;

/** AWS, "Capturing records of Lambda asynchronous invocations", as far as it is asked for. */
const GivenUp = z.object({
  requestContext: z.object({ functionArn: z.string() }),
  requestPayload: z.record(z.string(), z.unknown()),
});

interface Redriven {
  sent: number;
  /** Why messages are still where they were, one reason each. */
  left: string[];
}

const [cloudFormation, lambda, sqs] = [new CloudFormationClient(), new LambdaClient(), new SQSClient()];

export async function redrive(stack: string): Promise<Record<string, Redriven>> {
  const redriven: Record<string, Redriven> = {};
  for (const { name, url } of await deadLetterQueuesOf(stack)) redriven[name] = await redriveQueue(url);
  return redriven;
}

async function deadLetterQueuesOf(stack: string): Promise<{ name: string; url: string }[]> {
  const found = [];
  for await (const page of paginateListStackResources({ client: cloudFormation }, { StackName: stack })) {
    for (const { LogicalResourceId: name = '', PhysicalResourceId: url } of page.StackResourceSummaries ??
      []) {
      if (DEAD_LETTERS.test(name) && url) found.push({ name, url });
    }
  }
  if (found.length === 0) throw new Error(`The stack ${stack} has no queue of events that were given up.`);
  return found;
}

async function redriveQueue(QueueUrl: string): Promise<Redriven> {
  const begun = Date.now();
  const seen = new Set<string>();
  const redriven: Redriven = { sent: 0, left: [] };
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 2, // an answer at once may leave messages out
        VisibilityTimeout: 120,
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    );
    // What fails again comes back, and would be sent for as long as it does.
    const ours = Messages.filter(
      ({ MessageId = '', Attributes }) => !seen.has(MessageId) && Number(Attributes?.SentTimestamp) <= begun,
    );
    if (ours.length === 0) return redriven;
    for (const message of ours) seen.add(message.MessageId!);
    await Promise.all(
      ours.map(async (message) => {
        try {
          await callAgain(message);
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
          redriven.sent += 1;
        } catch (error) {
          redriven.left.push(`${message.MessageId}: ${(error as Error).message}`);
        }
      }),
    );
  }
}

/** @throws Error unless Lambda has queued the call */
async function callAgain({ Body = '' }: Message): Promise<void> {
  const { requestContext, requestPayload } = givenUpIn(Body);
  const FunctionName = requestContext.functionArn.replace(/:\$LATEST$/, '');
  const Payload = JSON.stringify(requestPayload);
  const { StatusCode } = await lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }),
  );
  if (StatusCode !== 202) throw new Error(`Lambda answered ${StatusCode}.`);
}

function givenUpIn(body: string): z.infer<typeof GivenUp> {
  try {
    return GivenUp.parse(JSON.parse(body));
  } catch (error) {
    throw new Error('This is no event that Lambda has given up.', { cause: error });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { positionals } = parseArgs({ allowPositionals: true });
  try {
    if (positionals.length !== 1) throw new Error('Say of which stack: npm run redrive -- STACK');
    for (const [queue, { sent, left }] of Object.entries(await redrive(positionals[0]!))) {
      console.log(`${queue}: ${sent} sent again, ${left.length} left`);
      for (const reason of left) console.error(`  ${reason}`);
      if (left.length > 0) process.exitCode = 1;
    }
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
