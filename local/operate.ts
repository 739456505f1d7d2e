// npm run recipes, npm run replan: an operator's commands to the server that is running on this machine.

import { parseArgs } from 'node:util';
import type { MaintenanceAnswer, MaintenanceRequest } from '../pipeline/maintenance.ts';

const env = process.env;
const invokeUrl = `http://127.0.0.1:${env['PORT'] ?? 3000}/local/lambda/2015-03-31/functions/maintenance/invocations`;
const authorization = `Bearer ${env['API_KEY'] ?? 'local'}`;

try {
  for (const request of requestsFrom(process.argv.slice(2))) await run(request);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}

function requestsFrom([command, ...args]: string[]): MaintenanceRequest[] {
  const { values, positionals: ids } = parseArgs({
    args,
    options: { all: { type: 'boolean' } },
    allowPositionals: true,
  });
  switch (command) {
    case 'recipes':
      return ids.length > 0 ? ids.map((id) => ({ command, id })) : [{ command }];
    case 'replan':
      if (values.all) return [{ command, all: true }];
      if (ids.length > 0) return ids.map((id) => ({ command, id }));
      throw new Error('Say which: npm run replan -- ID …, or npm run replan -- --all');
    default:
      throw new Error('Say what: npm run recipes, or npm run replan');
  }
}

async function run(request: MaintenanceRequest): Promise<void> {
  const answer = await invoke(request);
  if ('revisions' in answer) {
    console.log(answer.id);
    console.table(answer.revisions);
  } else if ('recipes' in answer) {
    console.log(`${answer.videos} videos are planned`);
    console.table(answer.recipes);
  } else if ('replanned' in answer) {
    console.table(answer.replanned);
  }
  if ('failed' in answer && answer.failed.length > 0) {
    console.error('These stay as they are:');
    console.table(answer.failed);
    process.exitCode = 1;
  }
}

async function invoke(request: MaintenanceRequest): Promise<MaintenanceAnswer> {
  const answered = await fetch(invokeUrl, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  }).catch((error: Error) => {
    throw new Error(`No server answers at ${new URL(invokeUrl).origin}. Start it first: npm start`, {
      cause: error,
    });
  });
  const answer = (await answered.json()) as MaintenanceAnswer & { errorMessage?: string; message?: string };
  if (answered.ok && !answered.headers.has('x-amz-function-error')) return answer;
  throw new Error(answer.errorMessage ?? answer.message ?? `The server answered ${answered.status}.`);
}
