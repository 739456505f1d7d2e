import { EMPTY_QUEUE, QUEUE } from '../../core/records/queue.ts';
import type { Queue, RunningItem } from '../../core/records/queue.ts';
import {
  begun,
  called,
  enqueued,
  isQueued,
  recovered,
  released,
  stepped,
} from '../../core/work/admission.ts';
import type { Outcome } from '../../core/work/admission.ts';
import { lanesOf } from '../../core/work/lanes.ts';

const START = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(START.getTime() + seconds * 1000);
const FILM = 135;

const list = (id: string, count = 1, group = '', secondsPerItem = 40) => ({
  ...{ id, rev: 'r', group, count, secondsPerItem },
});

/** A queue, and one worker that is at work at it. */
function account(lanes = 1) {
  let queue: Queue = EMPTY_QUEUE;
  let second = 0;
  const atWork = new Map<number, RunningItem>();
  const begin = (by = 'first') => {
    const { calls, queue: after } = called(queue, { lanes: [lanes], by: 'caller', now: at(second) });
    queue = after;
    queue = begun(queue, calls[0] ?? { worker: 0, run: queue.workers[0]!.run }, { by, now: at(second) })!;
  };
  const step = (settlements: { ticket: number; outcome: Outcome }[] = [], by = 'first') => {
    settlements.forEach(({ ticket }) => atWork.delete(ticket));
    const made = stepped(queue, 0, {
      ...{ by, settlements, known: new Set(atWork.keys()), most: lanes - atWork.size, now: at(second) },
    });
    queue = made.queue;
    for (const item of made.taken) atWork.set(item.ticket, item);
    // What is stored can be read again.
    expect(QUEUE.fault(queue)).toBeUndefined();
    return made;
  };
  return {
    add: (...lists: ReturnType<typeof list>[]) => {
      for (const each of lists) queue = enqueued(queue, each, at((second += 0.001)));
    },
    begin,
    step,
    /** One after the other, until nothing is left: `clip 0`, and `clip end` when it is over. */
    workOff: (outcomeOf: (item: RunningItem) => Outcome = () => 'done'): string[] => {
      const done: string[] = [];
      let settlements: { ticket: number; outcome: Outcome }[] = [];
      for (;;) {
        const { taken, afterwards } = step(settlements);
        settlements = [];
        for (const item of taken) {
          const of = queue.lists.find(({ id }) => id === item.id)!;
          done.push(`${item.id} ${item.index === of.count ? 'end' : item.index}`);
          settlements.push({ ticket: item.ticket, outcome: outcomeOf(item) });
        }
        if (afterwards === 'stop') return done;
        second += taken.length === 0 ? afterwards.waitMs / 1000 : 1;
      }
    },
    wait: (seconds: number) => void (second += seconds),
    get queue() {
      return queue;
    },
    set queue(other: Queue) {
      queue = other;
    },
    atWork,
    now: () => at(second),
  };
}

test('a list is worked off in order and ended once, however often it is queued', () => {
  const system = account();
  system.add(list('film', 3), list('film', 3));
  system.begin();
  expect(system.workOff()).toEqual(['film 0', 'film 1', 'film 2', 'film end']);
  expect(system.queue.lists).toEqual([]);
});

test('a list ends after its last item is settled, not when it is taken', () => {
  const system = account(3);
  system.add(list('film', 2));
  system.begin();
  const { taken } = system.step();
  expect(taken.map(({ index }) => index)).toEqual([0, 1]);
  expect(system.step([{ ticket: taken[1]!.ticket, outcome: 'done' }]).taken).toEqual([]);
  expect(system.step([{ ticket: taken[0]!.ticket, outcome: 'done' }]).taken).toMatchObject([{ index: 2 }]);
});

test('no more items are at work than there are lanes, whatever waits', () => {
  const system = account(7);
  system.add(...Array.from({ length: 100 }, (_, index) => list(`film${index}`, FILM)));
  system.begin();
  system.step();
  for (let turn = 0; turn < 200; turn += 1) {
    expect(system.atWork.size).toBe(7);
    system.step([{ ticket: [...system.atWork.keys()][turn % 7]!, outcome: 'done' }]);
  }
});

test('a clip does not wait behind films', () => {
  const system = account();
  system.add(list('film', FILM), list('other', FILM));
  system.begin();
  const { taken } = system.step();
  system.add(list('clip', 1, '', 3));
  const next = system.step([{ ticket: taken[0]!.ticket, outcome: 'done' }]).taken;
  expect(next).toMatchObject([{ id: 'clip', index: 0 }]);
  const end = system.step([{ ticket: next[0]!.ticket, outcome: 'done' }]).taken;
  expect(end).toMatchObject([{ id: 'clip', index: 1 }]);
});

test('a film does not wait for clips without end: every fourth turn is its own', () => {
  const system = account();
  system.add(list('film', 5));
  system.add(...Array.from({ length: 40 }, (_, index) => list(`clip${index}`, 1, '', 3)));
  system.begin();
  const done = system.workOff();
  expect(done).toHaveLength(6 + 80);
  // Ends take no turn.
  const turns = done.slice(0, done.indexOf('film end')).filter((each) => !each.endsWith(' end'));
  expect(turns.length).toBeLessThanOrEqual(5 * 4);
});

test('groups take turns: a hundred uploads of one do not hold up the single one of another', () => {
  const system = account(4);
  system.add(...Array.from({ length: 100 }, (_, index) => list(`a${index}`, 10, 'a', 1)));
  system.begin();
  system.step();
  system.add(list('b', 20, 'b', 100));
  const groups: string[] = [];
  for (let turn = 0; turn < 30; turn += 1) {
    const [ticket] = system.atWork.keys();
    system.step([{ ticket: ticket!, outcome: 'done' }]);
    groups.push(
      [...system.atWork.values()]
        .map(({ group }) => group)
        .sort()
        .join(''),
    );
  }
  // As long as both have work each has half of the lanes.
  expect(groups[0]).toBe('aaab');
  expect(new Set(groups.slice(1))).toEqual(new Set(['aabb']));
});

test('groups of any name are groups', () => {
  const system = account();
  for (const group of ['__proto__', 'constructor', 'toString', '']) {
    system.add(list(`of ${group}`, 1, group));
  }
  system.begin();
  expect(system.workOff()).toHaveLength(8);
});

describe('an item that', () => {
  test.each<[string, Outcome, number, string[]]>([
    ['fails', { failed: 'failed' }, 3, ['failed']],
    ['takes too long', { failed: 'TIMED_OUT' }, 3, ['TIMED_OUT']],
    ['meets an outage', { failed: 'STORE_UNAVAILABLE' }, 5, ['STORE_UNAVAILABLE']],
    ['is refused', 'refused', 1, ['failed']],
  ])(
    '%s is tried a few times, with pauses; the others go on, and the end is told',
    (_, outcome, tries, told) => {
      const system = account();
      system.add(list('film', 3));
      system.begin();
      let givenUp: string[] = [];
      const done = system.workOff((item) => {
        givenUp = system.queue.lists[0]!.givenUp;
        return item.index === 1 ? outcome : 'done';
      });
      expect(done.filter((each) => each === 'film 1')).toHaveLength(tries);
      expect(done.filter((each) => each === 'film 2')).toHaveLength(1);
      expect(done.at(-1)).toBe('film end');
      expect(givenUp).toEqual(told);
    },
  );

  test('is made in part before the time is up goes on, however often, and has not failed', () => {
    const system = account();
    system.add(list('film', 1));
    system.begin();
    let parts = 0;
    const done = system.workOff(({ index }) => (index === 0 && ++parts < 20 ? 'partly' : 'done'));
    expect(done).toEqual([...Array.from({ length: 20 }, () => 'film 0'), 'film end']);
  });

  test('finds no free machine has not been tried', () => {
    const system = account();
    system.add(list('film', 1));
    system.begin();
    let refusals = 0;
    const done = system.workOff(() => (++refusals <= 30 ? 'busy' : 'done'));
    expect(done).toHaveLength(32);
    expect(done.at(-1)).toBe('film end');
  });

  test.each([
    ['more', 5],
    ['fewer', 2],
  ])(
    'is found to be of a list of %s items has that begin anew, whatever others say of before',
    (_, count) => {
      const system = account(3);
      system.add(list('film', 3, '', 20));
      system.begin();
      const [one, two, three] = system.step().taken;
      system.step([{ ticket: one!.ticket, outcome: { failed: 'failed' } }]);
      const { queue, taken } = system.step([{ ticket: two!.ticket, outcome: { count } }]);
      expect(queue.lists).toMatchObject([{ count, givenUp: [], secondsPerItem: 60 / count }]);
      // That had the number that is the end's now, or that of another item.
      const settled = system.step([{ ticket: three!.ticket, outcome: 'done' }]);
      expect(settled.queue.lists).toHaveLength(1);
      const made = [...taken, ...settled.taken];
      for (let turn = 0, last = made; last.length > 0 && turn < 20; turn += 1) {
        last = system.step(last.map(({ ticket }) => ({ ticket, outcome: 'done' }))).taken;
        made.push(...last);
      }
      expect(made.map(({ index }) => index)).toEqual(Array.from({ length: count + 1 }, (__, index) => index));
      expect(system.queue).toMatchObject({ lists: [], running: [] });
    },
  );

  test('is found so twice, as two had begun, begins anew once', () => {
    const system = account(2);
    system.add(list('film', 4));
    system.begin();
    const [one, two] = system.step().taken;
    const outcome = { count: 2 };
    const { taken } = system.step([one!, two!].map(({ ticket }) => ({ ticket, outcome })));
    expect(taken.map(({ index }) => index)).toEqual([0, 1]);
  });

  test('is found to have lost something at the end is made once more, before the end is tried again', () => {
    const system = account(2);
    system.add(list('film', 3));
    system.begin();
    let ends = 0;
    const done = system.workOff(({ index }) => {
      if (index < 3) return 'done';
      ends += 1;
      return ends === 1 ? { missing: [0, 2] } : 'done';
    });
    expect(done.slice(-4)).toEqual(['film end', 'film 0', 'film 2', 'film end']);
    expect(system.queue).toMatchObject({ lists: [], running: [] });
  });

  test('is still at work holds up the end, which does not wake those who have nothing else to do', () => {
    const system = account(2);
    system.add(list('film', 2));
    system.begin();
    const [one, two] = system.step().taken;
    const [end] = system.step([one!, two!].map(({ ticket }) => ({ ticket, outcome: 'done' }))).taken;
    const { taken } = system.step([{ ticket: end!.ticket, outcome: { missing: [1] } }]);
    expect(taken.map(({ index }) => index)).toEqual([1]);
    const { queue } = system;
    const others = { ...queue, workers: [...queue.workers, { ...queue.workers[0]!, by: 'other' }] };
    const options = { by: 'other', settlements: [], known: new Set<number>(), most: 1 };
    expect(stepped(others, 1, { ...options, now: at(60) })).toMatchObject({ taken: [], afterwards: 'stop' });
  });

  test('is lost again and again fails its list', () => {
    const system = account();
    system.add(list('film', 1));
    system.begin();
    let told: string[] = [];
    const done = system.workOff(({ index }) => {
      if (index === 0) return 'done';
      told = system.queue.lists[0]!.givenUp;
      return told.length > 0 ? 'done' : { missing: [0] };
    });
    expect(done).toEqual(['film 0', 'film end', 'film 0', 'film end', 'film 0', 'film end', 'film end']);
    expect(told).toEqual(['failed']);
  });

  test('is of a video that is no more takes its list with it', () => {
    const system = account(2);
    system.add(list('film', 5));
    system.begin();
    const [one, two] = system.step().taken;
    expect(system.step([{ ticket: one!.ticket, outcome: 'gone' }]).afterwards).toEqual({ waitMs: 0 });
    expect(system.step([{ ticket: two!.ticket, outcome: 'done' }])).toMatchObject({
      taken: [],
      afterwards: 'stop',
    });
  });
});

test('the end of a list is told through any outage; where that fails, that it has failed is told, and then no more', () => {
  const system = account();
  system.add(list('film', 1));
  system.begin();
  let outages = 0;
  let told: string[] = [];
  const done = system.workOff((item) => {
    if (item.index === 0) return 'done';
    told = system.queue.lists[0]!.givenUp;
    return ++outages <= 50 ? { failed: 'STORE_UNAVAILABLE' } : { failed: 'failed' };
  });
  expect(done.filter((each) => each === 'film end')).toHaveLength(50 + 3 + 3);
  expect(told).toEqual(['failed']);
  expect(system.queue.lists).toEqual([]);
});

describe('workers', () => {
  const lanes = [24, 24, 2];

  test('are called as there is work for them, and no more', () => {
    expect(lanesOf(50)).toEqual(lanes);
    expect(lanesOf(7)).toEqual([7]);
    const call = (queue: Queue) => called(queue, { lanes, by: 'caller', now: START });
    expect(call(EMPTY_QUEUE).calls).toEqual([]);
    const one = call(enqueued(EMPTY_QUEUE, list('clip'), START));
    expect(one.calls).toEqual([{ worker: 0, run: 1 }]);
    // It is on its way.
    expect(call(one.queue).calls).toEqual([]);
    const many = call(enqueued(one.queue, list('film', FILM), START));
    expect(many.calls).toEqual([
      { worker: 1, run: 1 },
      { worker: 2, run: 1 },
    ]);
  });

  test('that were ended are not waited for long, and what they were at is made by others', () => {
    const system = account(2);
    system.add(list('film', 3));
    system.begin();
    system.step();
    expect(recovered(system.queue, system.now())).toBe(system.queue);
    system.wait(600);
    const lost = recovered(system.queue, system.now());
    expect(lost.running).toEqual([]);
    expect(lost.lists[0]!.returned).toMatchObject([
      { index: 0, failures: 0, outages: 1 },
      { index: 1, failures: 0, outages: 1 },
    ]);
    expect(called(lost, { lanes: [2], by: 'caller', now: system.now() }).calls).toEqual([
      { worker: 0, run: 2 },
    ]);
  });

  test('that are ended again and again by an item give up what they were at, as late and not as failed', () => {
    const system = account(2);
    system.add(list('poison', 1), list('innocent', 1));
    for (let run = 1; system.queue.lists.some(({ givenUp }) => givenUp.length === 0); run += 1) {
      expect(run).toBeLessThan(20);
      system.begin(`run ${run}`);
      system.atWork.clear();
      system.step([], `run ${run}`);
      system.wait(600);
      system.queue = recovered(system.queue, system.now());
      system.wait(600);
    }
    for (const { givenUp } of system.queue.lists) expect(givenUp).toEqual(['TOOL_UNAVAILABLE']);
  });

  test('that are lost leave items that do not all come back at once', () => {
    const system = account(4);
    system.add(list('film', 4));
    system.begin();
    system.step();
    system.wait(600);
    system.queue = recovered(system.queue, system.now());
    const times = system.queue.lists[0]!.returned.map(({ notBefore }) => notBefore);
    expect(new Set(times).size).toBe(4);
  });

  test('that a machine took with it when it was switched off have failed at nothing', () => {
    const system = account(2);
    system.add(list('film', 3));
    system.begin();
    system.step();
    const after = released(system.queue);
    expect(after.running).toEqual([]);
    expect(after.lists[0]!.returned).toMatchObject([
      { failures: 0, outages: 0 },
      { failures: 0, outages: 0 },
    ]);
    expect(after.workers[0]!.until).toBeNull();
    expect(released(after)).toBe(after);
  });

  test('that are called twice do nothing twice: the later call goes on, the earlier one stops', () => {
    const system = account();
    system.add(list('film', 3));
    system.begin('first');
    const [item] = system.step([], 'first').taken;
    system.begin('second');
    const now = system.now();
    const none = { settlements: [], known: new Set<number>(), most: 1, now };
    expect(stepped(system.queue, 0, { ...none, by: 'first' })).toMatchObject({
      taken: [],
      afterwards: 'stop',
    });
    const next = stepped(system.queue, 0, { ...none, by: 'second' });
    expect(next.taken).toMatchObject([{ index: 1 }]);
    expect(next.queue.lists[0]!.returned).toMatchObject([{ index: 0, outages: 1 }]);
    // What the earlier one says of it comes too late.
    const late = stepped(next.queue, 0, {
      ...{ ...none, by: 'first' },
      settlements: [{ ticket: item!.ticket, outcome: 'gone' }],
    });
    expect(late.queue).toBe(next.queue);
  });

  test('whose write went well without their hearing of it know what they have taken', () => {
    const system = account(2);
    system.add(list('film', 3));
    system.begin();
    const options = { by: 'first', settlements: [], known: new Set<number>(), most: 2, now: system.now() };
    const unheard = stepped(system.queue, 0, options);
    const again = stepped(unheard.queue, 0, options);
    expect(again.taken).toEqual(unheard.taken);
    expect(again.queue).toBe(unheard.queue);
  });

  test('of a run that is over begin nothing', () => {
    const system = account();
    expect(begun(EMPTY_QUEUE, { worker: 0, run: 1 }, { by: 'x', now: system.now() })).toBeUndefined();
    system.add(list('film', 1));
    system.begin();
    expect(begun(system.queue, { worker: 0, run: 2 }, { by: 'x', now: system.now() })).toBeUndefined();
  });

  test('sleep when nothing is left, in the same write that says so: what is queued after it calls them', () => {
    const system = account();
    system.add(list('clip'));
    system.begin();
    system.workOff();
    expect(system.queue.workers).toMatchObject([{ run: 1, until: null }]);
    expect(isQueued(system.queue, { id: 'clip', rev: 'r' })).toBe(false);
    const later = enqueued(system.queue, list('clip'), system.now());
    expect(called(later, { lanes: [1], by: 'caller', now: system.now() }).calls).toEqual([
      { worker: 0, run: 2 },
    ]);
  });

  test('write nothing where nothing has changed, and say now and then that they are alive', () => {
    const system = account();
    system.add(list('film', 3));
    system.begin();
    system.step();
    const before = system.queue;
    system.wait(30);
    system.step();
    expect(system.queue).toBe(before);
    system.wait(60);
    system.step();
    expect(Date.parse(system.queue.workers[0]!.until!)).toBeGreaterThan(
      Date.parse(before.workers[0]!.until!),
    );
  });
});
