import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { stateMachineWorkers } from '../../adapters/executions.ts';
import { stepFunctions } from '../../local/step-functions.ts';

type Transcode = Parameters<typeof stepFunctions>[0];

/** Executions of this function, asked for by AWS's own client. */
async function executionsOf(transcode: Transcode) {
  const executions = stepFunctions(transcode);
  const server = createServer((request, response) => void executions.handle(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const client = new SFNClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'local',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  return {
    call: stateMachineWorkers(client, 'arn:aws:states:local:000000000000:stateMachine:prewarm'),
    client,
    stop: () => {
      executions.stop();
      client.destroy();
      server.close();
    },
  };
}

test('a worker is called again with what it has answered, also after an error, until it says that nothing is left', async () => {
  const inputs: unknown[] = [];
  const over = Promise.withResolvers<void>();
  const { call, stop } = await executionsOf(async (input) => {
    inputs.push(input);
    if (inputs.length === 2) throw new Error('out of reach');
    if (inputs.length === 4) over.resolve();
    return { ...{ worker: 3, run: 7 }, turn: inputs.length, more: inputs.length < 4, waitSeconds: 0 };
  });
  await call({ worker: 3, run: 7 }, 'a caller');
  await over.promise;
  expect(inputs).toEqual([
    { worker: 3, run: 7, turn: 0 },
    expect.objectContaining({ turn: 1 }),
    expect.objectContaining({ turn: 1 }), // the one that failed, once more
    expect.objectContaining({ turn: 3 }),
  ]);
  stop();
});

test('an execution is started once, however often it is asked for, and makes no more calls when it is stopped', async () => {
  let calls = 0;
  const first = Promise.withResolvers<void>();
  const { call, stop } = await executionsOf(async () => {
    calls += 1;
    first.resolve();
    return { more: true, waitSeconds: 3600 };
  });
  await call({ worker: 0, run: 1 }, 'a caller');
  await call({ worker: 0, run: 1 }, 'a caller');
  await first.promise;
  stop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(calls).toBe(1);
});

test('what it is not asked for by us it does not know', async () => {
  const { client, stop } = await executionsOf(async () => ({ more: false }));
  client.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['x-amz-target'] = 'AWSStepFunctions.Else';
      return next(args);
    },
    { step: 'build' },
  );
  await expect(
    client.send(new StartExecutionCommand({ stateMachineArn: 'arn:aws:states:local:0:stateMachine:any' })),
  ).rejects.toMatchObject({ name: 'UnknownOperationException' });
  stop();
});
