// What does a cold start of each function cost before its handler runs: the size of its bundle, and the time to import it
// in a fresh process, against a process that imports an empty module?

import { execFile } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../lib/bundle.ts';
import { temporaryDirectory } from '../test/support/media.ts';
import { median } from './support/figures.ts';

const RUNS = 15;

/** What each may cost at most, as a multiple of the empty module: a fifth more than at the end of November 2026. */
const BUDGETS: Record<string, number> = {
  'lambdas/api.ts': 6.5,
  'lambdas/authorizer.ts': 3.3,
  'lambdas/ingest.ts': 7.5,
  'lambdas/origin.ts': 7.5,
  'lambdas/transcode.ts': 6.8,
  'lambdas/sandbox.ts': 6.8,
  'lambdas/maintenance.ts': 7.5,
  'lib/playback-secret.lambda.ts': 3.5,
};

/** All that any of them asks for as it loads. */
const ENVIRONMENT = Object.fromEntries(
  [
    ...['UPLOADS_BUCKET', 'MEDIA_BUCKET', 'PUBLIC_BASE_URL', 'STATE_MACHINE_ARN', 'API_KEY_SECRET_ARN'],
    ...['FFMPEG_PATH', 'FFPROBE_PATH', 'PLAYBACK_SECRET_ARN', 'KEY_VALUE_STORE_ARN', 'UPLOAD_SECRET_ARN'],
    ...['PAGE_BUCKET', 'SANDBOX_FUNCTION', 'VIDEO_ID_KEY_ARN'],
  ].map((name) => [name, 'a-name']),
);

/** CPU time, since other processes do not slow it down. */
const SCRIPT = `
  globalThis.awslambda = { streamifyResponse: (handler) => handler };
  await import(process.argv[1]);
  const { user, system } = process.cpuUsage();
  console.log((user + system) / 1000);`;

const directory = await temporaryDirectory();
try {
  const modules = new Map<string, string>();
  const empty = join(directory.path, 'empty.mjs');
  await writeFile(empty, 'export {};');
  modules.set('an empty module', empty);
  for (const entry of Object.keys(BUDGETS)) {
    const target = join(directory.path, entry);
    await mkdir(target, { recursive: true });
    bundle(entry, target);
    modules.set(entry, join(target, 'index.mjs'));
  }

  const milliseconds = new Map<string, number[]>([...modules.keys()].map((name) => [name, []]));
  for (let run = 0; run < RUNS; run += 1) {
    // By turns, so that what else the machine does meets all of them.
    for (const [name, path] of modules) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', SCRIPT, path],
        { env: { ...ENVIRONMENT, AWS_REGION: 'us-east-1' } },
      );
      milliseconds.get(name)!.push(Number(stdout));
    }
  }

  const nothing = median(milliseconds.get('an empty module')!);
  console.log(`CPU time from the start of a process to the end of its import; medians of ${RUNS}`);
  for (const [name, path] of modules) {
    const kilobytes = (await stat(path)).size / 1000;
    const cost = median(milliseconds.get(name)!);
    const multiple = cost / nothing;
    const budget = BUDGETS[name] ?? Infinity;
    const verdict = multiple > budget ? `MORE THAN ${budget}` : '';
    if (verdict) process.exitCode = 1;
    console.log(
      `${name.padEnd(32)}${kilobytes.toFixed(0).padStart(4)} KB ${cost.toFixed(0).padStart(5)} ms  ${multiple.toFixed(2)}× ${verdict}`,
    );
  }
} finally {
  await directory.remove();
}
