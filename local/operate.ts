// npm run recipes, npm run replan: an operator's commands to the server that is running on this machine.

import { parseArgs } from 'node:util';
import type { MaintenanceAnswer, MaintenanceRequest } from '../pipeline/revisions/maintenance.ts';
import type { RecipeCount } from '../pipeline/revisions/recipe-report.ts';

/** Videos asked for at once: an answer must come before the client gives up, which Node's does after five minutes. */
const PORTION = 10;

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
      return ids.length > 0 ? ids.map((id) => ({ command, id })) : [{ command, limit: PORTION }];
    case 'replan':
      if (values.all) return [{ command, all: true, limit: PORTION }];
      if (ids.length > 0) return ids.map((id) => ({ command, id }));
      throw new Error('Say which: npm run replan -- ID …, or npm run replan -- --all');
    default:
      throw new Error('Say what: npm run recipes, or npm run replan');
  }
}

/** All portions of one command, in tables. */
async function run(request: MaintenanceRequest): Promise<void> {
  const answers = [await invoke(request)];
  for (;;) {
    const last = answers.at(-1)!;
    if (!('nextCursor' in last) || last.nextCursor === undefined || 'id' in request) break;
    answers.push(await invoke({ ...request, cursor: last.nextCursor } as MaintenanceRequest));
  }
  for (const answer of answers) {
    if (!('revisions' in answer)) continue;
    console.log(answer.id);
    console.table(answer.revisions);
  }
  const counted = answers.filter((answer) => 'recipes' in answer);
  if (counted.length > 0) {
    console.log(`videos planned: ${counted.reduce((sum, { videos }) => sum + videos, 0)}`);
    console.table(summed(counted.flatMap(({ recipes }) => recipes)));
  }
  const replanned = answers.flatMap((answer) => ('replanned' in answer ? answer.replanned : []));
  if (replanned.length > 0) console.table(replanned);
  const failed = answers.flatMap((answer) => ('failed' in answer ? answer.failed : []));
  if (failed.length > 0) {
    console.error('These stay as they are:');
    console.table(failed);
    process.exitCode = 1;
  }
}

function summed(counts: readonly RecipeCount[]): RecipeCount[] {
  const sums = new Map<string, RecipeCount>();
  for (const count of counts) {
    const sum = sums.get(count.recipe);
    if (!sum) sums.set(count.recipe, { ...count });
    else for (const name of ['current', 'next', 'former', 'storedBytes'] as const) sum[name] += count[name];
  }
  return [...sums.values()];
}

async function invoke(request: MaintenanceRequest): Promise<MaintenanceAnswer> {
  const answered = await fetch(invokeUrl, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  }).catch((error: Error & { cause?: NodeJS.ErrnoException }) => {
    if (error.cause?.code !== 'ECONNREFUSED') throw error;
    throw new Error(`No server answers at ${new URL(invokeUrl).origin}. Start it first: npm start`, {
      cause: error,
    });
  });
  const answer = (await answered.json()) as MaintenanceAnswer & { errorMessage?: string; message?: string };
  if (answered.ok && !answered.headers.has('x-amz-function-error')) return answer;
  throw new Error(answer.errorMessage ?? answer.message ?? `The server answered ${answered.status}.`);
}
