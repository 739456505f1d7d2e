import { asyncInvocations } from '../../local/async-invocations.ts';

test('an event is tried until it is done, however often that fails, and keeps nobody else waiting', async () => {
  const tried: string[] = [];
  const done = Promise.withResolvers<void>();
  const pauses: number[] = [];
  const { invoke } = asyncInvocations<string>(
    async (event) => {
      tried.push(event);
      if (event === 'unlucky' && tried.filter((each) => each === event).length < 10)
        throw new Error('SlowDown');
      if (event === 'unlucky') done.resolve();
    },
    {
      concurrency: 1,
      pauseMs: (attempts) => {
        pauses.push(attempts);
        return 1;
      },
    },
  );
  invoke('unlucky');
  invoke('lucky');
  await done.promise;
  expect(tried.slice(0, 2)).toEqual(['unlucky', 'lucky']);
  expect(tried.filter((each) => each === 'unlucky')).toHaveLength(10);
  expect(pauses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
