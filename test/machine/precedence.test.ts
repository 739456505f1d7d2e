// What somebody waits for goes first; what gives way stands still meanwhile, but not for good.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { pausableTimer } from '../../machine/pausable-timer.ts';
import { precedence } from '../../machine/precedence.ts';

const NEVER_MS = 1e6;

/** Something that gives way, and what it was told. */
function givingWay() {
  const told: string[] = [];
  return { told, stop: () => void told.push('stop'), goOn: () => void told.push('go on') };
}

function work() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { run: () => promise, end: resolve };
}

test('it stands still from the first that goes first to the last', async () => {
  const order = precedence({ beside: 0, mostStoppedMs: NEVER_MS, turnMs: NEVER_MS });
  const process = givingWay();
  order.givesWay(process);
  const [one, other] = [work(), work()];
  const [first, second] = [order.first(one.run), order.first(other.run)];
  expect(process.told).toEqual(['stop']);
  one.end();
  await first;
  expect(process.told).toEqual(['stop']);
  other.end();
  await second;
  expect(process.told).toEqual(['stop', 'go on']);
});

test('what comes later stands still at once, and what has ended is told nothing more', async () => {
  const order = precedence({ beside: 0, mostStoppedMs: NEVER_MS, turnMs: NEVER_MS });
  const one = work();
  const first = order.first(one.run);
  const [early, late] = [givingWay(), givingWay()];
  const isOver = order.givesWay(early);
  order.givesWay(late);
  expect([early.told, late.told]).toEqual([['stop'], ['stop']]);
  isOver();
  one.end();
  await first;
  expect([early.told, late.told]).toEqual([['stop'], ['stop', 'go on']]);
});

test('where there is room beside it, nothing stands still', async () => {
  const order = precedence({ beside: 1, mostStoppedMs: NEVER_MS, turnMs: NEVER_MS });
  const process = givingWay();
  order.givesWay(process);
  const works = [work(), work()];
  const first = order.first(works[0]!.run);
  expect(process.told).toEqual([]);
  const second = order.first(works[1]!.run);
  expect(process.told).toEqual(['stop']);
  works[0]!.end();
  await first;
  expect(process.told).toEqual(['stop', 'go on']);
  works[1]!.end();
  await second;
});

test('work that fails lets it go on, too', async () => {
  const order = precedence({ beside: 0, mostStoppedMs: NEVER_MS, turnMs: NEVER_MS });
  const process = givingWay();
  order.givesWay(process);
  await expect(order.first(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(process.told).toEqual(['stop', 'go on']);
});

test('however long somebody waits, it has its turn again and again', async () => {
  const order = precedence({ beside: 0, mostStoppedMs: 5, turnMs: 5 });
  const process = givingWay();
  order.givesWay(process);
  const endless = work();
  const first = order.first(endless.run);
  while (process.told.length < 5) await sleep(5);
  expect(process.told.slice(0, 5)).toEqual(['stop', 'go on', 'stop', 'go on', 'stop']);
  endless.end();
  await first;
});

test('nor do many who come one after the other keep it from its turn', async () => {
  const order = precedence({ beside: 0, mostStoppedMs: 50, turnMs: 5 });
  const process = givingWay();
  order.givesWay(process);
  // Each is shorter than what it stands still at most, and the next one is there at once.
  const untilTurn = async () => {
    for (;;) {
      const before = process.told.length;
      await order.first(() => sleep(20));
      // Told to go on twice in one of them: it had a turn meanwhile.
      const told = process.told.slice(before);
      if (told.filter((what) => what === 'go on').length > 1 || told.at(0) !== 'stop') return;
    }
  };
  await untilTurn();
});

test('a time limit does not run while it stands still', async () => {
  let fired = false;
  const timer = pausableTimer(50, () => (fired = true));
  timer.pause();
  await sleep(200);
  expect(fired).toBe(false);
  timer.goOn();
  while (!fired) await sleep(5);
  const cleared = pausableTimer(20, () => (fired = false));
  cleared.clear();
  await sleep(100);
  expect(fired).toBe(true);
});

const stateOf = async (pid: number): Promise<string | undefined> =>
  /^State:\s+(\w)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1];

/** Stops a process of its own, says its pid, and waits to be killed. */
const STOPPER = `
  import { spawn } from 'node:child_process';
  import { goOn, standStill } from ${JSON.stringify(new URL('../../machine/standstill.ts', import.meta.url).href)};
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  standStill(child);
  if (process.argv[1] === 'and goes on') goOn(child);
  console.log(child.pid);
  setInterval(() => undefined, 1000);
`;

test.each([
  ['', 'T'],
  ['and goes on', 'S'],
])('a process that is stopped (%s) is awake again when we are killed', async (then, before) => {
  const stopper = spawn(process.execPath, ['--input-type=module', '-e', STOPPER, '--', then], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(stopper.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  while ((await stateOf(pid)) !== before) await sleep(10);
  stopper.kill('SIGKILL');
  await once(stopper, 'exit');
  while ((await stateOf(pid)) !== 'S') await sleep(10);
  execFileSync('/bin/kill', [String(pid)]);
});
