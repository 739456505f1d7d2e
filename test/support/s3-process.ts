// The embedded S3 in a process of its own, that it may be killed, and its memory be known.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { listenS3 } from './s3-server.ts';

export interface S3Process {
  endpoint: string;
  /** The most memory it has held so far. */
  peakBytes(): Promise<number>;
  kill(): Promise<void>;
}

export async function spawnS3(directory: string): Promise<S3Process> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SELF, directory], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const answer = async (): Promise<unknown> => {
    const left = once(child, 'exit').then(() => Promise.reject(new Error('The S3 process has ended.')));
    const [message] = (await Promise.race([once(child, 'message'), left])) as [unknown];
    return message;
  };
  return {
    endpoint: String(await answer()),
    async peakBytes() {
      child.send('peak');
      return Number(await answer());
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const SELF = fileURLToPath(import.meta.url);

if (process.argv[1] === SELF) {
  const { endpoint } = await listenS3({ directory: process.argv[2]! });
  process.on('message', () => process.send!(process.resourceUsage().maxRSS * 1024));
  process.on('disconnect', () => process.exit(1)); // nobody is left to use it
  process.send!(endpoint);
}
