import { workEngine } from '../../local/work-engine.ts';

function harness(work: (item: unknown) => Promise<void> = async () => undefined) {
  const log: string[] = [];
  const engine = workEngine({
    attempts: 3,
    work: async (item) => {
      log.push(`item ${item}`);
      await work(item);
    },
    pauseMs: () => 0,
    end: async (subject, errors) => void log.push(`${subject} ${errors.length > 0 ? 'failed' : 'done'}`),
  });
  return { engine, log };
}

test('a list is worked off in order, then ended once, however often it is started', async () => {
  const { engine, log } = harness();
  engine.start('film-1', 'film', [1, 2, 3]);
  engine.start('film-1', 'film', [1, 2, 3]);
  await engine.idle();
  expect(log).toEqual(['item 1', 'item 2', 'item 3', 'film done']);
});

test('while a viewer waits, no item is begun', async () => {
  const { engine, log } = harness();
  let served = () => {};
  const viewer = engine.meanwhile(() => new Promise<void>((resolve) => (served = resolve)));
  engine.start('film-1', 'film', [1]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(log).toEqual([]);
  served();
  await viewer;
  await engine.idle();
  expect(log).toEqual(['item 1', 'film done']);
});

test('an item that fails is tried again; one that keeps failing fails its list, and no other item', async () => {
  let throttled = 2;
  const { engine, log } = harness(async (item) => {
    if (item === 'throttled' && throttled-- > 0) throw new Error('SlowDown');
    if (item === 'bad') throw new Error('bad');
  });
  engine.start('slow-1', 'slow', ['throttled']);
  engine.start('broken-1', 'broken', ['bad', 'good']);
  await engine.idle();
  expect(log).toContain('slow done');
  expect(log.filter((line) => line === 'item bad')).toHaveLength(3);
  expect(log).toContain('item good');
  expect(log.at(-1)).toBe('broken failed');
});

test('items that failed are tried again after all others have had their turn', async () => {
  let isAway = true;
  const { engine, log } = harness(async (item) => {
    if (item === 1 && isAway) throw new Error('SlowDown');
    if (item === 3) isAway = false;
  });
  engine.start('film-1', 'film', [1, 2, 3]);
  await engine.idle();
  expect(log).toEqual(['item 1', 'item 2', 'item 3', 'item 1', 'film done']);
});

test('the end of a list is told until it is heard', async () => {
  const heard: number[] = [];
  let deaf = 20;
  const engine = workEngine({
    attempts: 3,
    pauseMs: () => 0,
    work: () => Promise.reject(new Error('bad')),
    end: async (_subject: string, errors) => {
      if (deaf-- > 0) throw new Error('SlowDown');
      heard.push(errors.length);
    },
  });
  engine.start('film-1', 'film', [1]);
  await engine.idle();
  expect(heard).toEqual([1]);
});
