// What a process has used, and which ones run, from Linux's /proc.

import { readFile, readdir } from 'node:fs/promises';

const CLOCK_TICKS_PER_SECOND = 100;

/** CPU seconds of a process and of all its children that have ended. */
export async function cpuSeconds(pid: number | 'self'): Promise<number> {
  // utime is the 14th field.
  const fields = fieldsAfterName(await readFile(`/proc/${pid}/stat`, 'utf8'));
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / CLOCK_TICKS_PER_SECOND;
}

/** The most memory a process has had resident, in MB. */
export const peakMegabytes = (pid: number): Promise<number> => megabytesOf(pid, 'VmHWM');

/** The memory that it has resident now, in MB. */
export const residentMegabytes = (pid: number): Promise<number> => megabytesOf(pid, 'VmRSS');

async function megabytesOf(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) * 1024) / 1e6;
}

/** Whether a low-priority process works below `directory`: an encoder of the prewarm. */
export async function isEncodedInBackground(directory: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids
      .map(async (pid) => {
        const [command, stat] = await Promise.all(
          ['cmdline', 'stat'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
        );
        // Nice is the 19th field.
        return command!.includes(`${directory}/`) && Number(fieldsAfterName(stat!)[16]) > 0;
      })
      .map((looked) => looked.catch(() => false)), // it has ended since
  );
  return found.includes(true);
}

/** Of `stat`, from the third field on: the second, a name in parentheses, may hold anything. */
const fieldsAfterName = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
