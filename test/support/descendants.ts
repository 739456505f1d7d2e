// The processes that a process has begun, from Linux's /proc.

import { readFile, readdir } from 'node:fs/promises';

export interface Process {
  pid: number;
  name: string;
  /** What tells it from a later one of the same pid. */
  startedTicks: string;
}

/** Children, their children, and so on, whichever thread began them. */
export async function descendantsOf(pid: number): Promise<Process[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const found: Process[] = [];
  for (const child of lists.join(' ').split(/\s+/).filter(Boolean).map(Number)) {
    const process = await processAt(child);
    if (process) found.push(process, ...(await descendantsOf(child)));
  }
  return found;
}

export const isEncoder = ({ name }: Process): boolean => /^ff(mpeg|probe)/.test(name);

/** Of these, the ones that still run. */
export async function stillRunning(processes: readonly Process[]): Promise<Process[]> {
  const now = await Promise.all(processes.map(({ pid }) => processAt(pid)));
  return processes.filter(({ startedTicks }, index) => now[index]?.startedTicks === startedTicks);
}

/** Undefined where it has ended, even if nobody has taken notice of that. */
async function processAt(pid: number): Promise<Process | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field, a name in parentheses, may hold anything.
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : { pid, name, startedTicks: fields[19]! };
}
