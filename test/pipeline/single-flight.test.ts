// One making of each thing at a time, for all who ask for it.

import { singleFlight } from '../../pipeline/derive/single-flight.ts';

/** A maker whose pieces end when they are told to; one that is abandoned gives up where it may. */
function maker({ givesUp }: { givesUp: boolean }) {
  const begun: PromiseWithResolvers<string>[] = [];
  const make = (abandoned: AbortSignal): Promise<string> => {
    const making = Promise.withResolvers<string>();
    begun.push(making);
    if (givesUp) abandoned.addEventListener('abort', () => making.reject(abandoned.reason as Error));
    return making.promise;
  };
  return { begun, make };
}

test('all who ask share one making', async () => {
  const flight = singleFlight<string>();
  const { begun, make } = maker({ givesUp: true });
  const asked = [flight('key', make), flight('key', make)];
  begun[0]!.resolve('made');
  expect(await Promise.all(asked)).toEqual(['made', 'made']);
  expect(begun).toHaveLength(1);
});

/** One who asks and leaves, and another who asks then. */
function leftAndAskedAgain(how: { givesUp: boolean }) {
  const flight = singleFlight<string>();
  const { begun, make } = maker(how);
  const leave = new AbortController();
  const first = flight('key', make, leave.signal);
  leave.abort(new Error('gone'));
  return { begun, first, second: flight('key', make) };
}

test('who comes back to what is brought to its end gets that', async () => {
  const { begun, first, second } = leftAndAskedAgain({ givesUp: false });
  begun[0]!.resolve('made');
  expect(await Promise.all([first, second])).toEqual(['made', 'made']);
  expect(begun).toHaveLength(1);
});

test('who comes back to what is being given up has it made anew', async () => {
  const { begun, first, second } = leftAndAskedAgain({ givesUp: true });
  await expect(first).rejects.toThrow('gone');
  while (begun.length < 2) await new Promise((resolve) => setImmediate(resolve));
  begun[1]!.resolve('made anew');
  expect(await second).toBe('made anew');
});

test('what fails by itself fails for whoever has come back as well', async () => {
  const { begun, first, second } = leftAndAskedAgain({ givesUp: false });
  begun[0]!.reject(new Error('broken'));
  await expect(first).rejects.toThrow('broken');
  await expect(second).rejects.toThrow('broken');
  expect(begun).toHaveLength(1);
});
