// With an apt-get that only says what the real one says.

import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'instant-hls-apt-'));
  await command('sudo', 'exec "$@"');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('packages are installed once whoever holds the locks of apt and dpkg is done', async () => {
  await command(
    'apt-get',
    `echo "$@" >> ${directory}/calls
     [ "$(wc -l < ${directory}/calls)" -gt 1 ] || {
       echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)' >&2
       exit 100
     }`,
  );
  await install('jq', 'curl');
  const options = '-qq -o DPkg::Lock::Timeout=600';
  expect(await calls()).toEqual([
    `${options} update`,
    `${options} update`,
    `${options} install -y --no-install-recommends jq curl`,
  ]);
});

test('what does not pass by waiting is told at once', async () => {
  await command('apt-get', `echo "$@" >> ${directory}/calls; echo 'E: There is no network.' >&2; exit 100`);
  await expect(install('jq')).rejects.toMatchObject({ code: 1, stderr: 'E: There is no network.\n' });
  expect(await calls()).toHaveLength(1);
});

async function command(name: string, script: string): Promise<void> {
  await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, name), 0o755);
}

const install = (...packages: string[]) =>
  promisify(execFile)('sh', ['scripts/apt-install.sh', ...packages], {
    env: { ...process.env, PATH: `${directory}${delimiter}${process.env['PATH']}` },
  });

const calls = async (): Promise<string[]> =>
  (await readFile(join(directory, 'calls'), 'utf8')).trim().split('\n');
