import type { Writable } from 'node:stream';
import { sandboxHere } from '../../local/sandbox.ts';
import { viewersFirst } from '../../local/viewers-first.ts';
import type { Grants, SegmentsTask } from '../../pipeline/sandbox/sandbox.ts';
import { DONE } from '../../pipeline/sandbox/wire.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('who asks whether somebody waits is answered when nobody does', async () => {
  const viewers = viewersFirst();
  await viewers.served();
  const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const both = [viewers.meanwhile(() => one.promise), viewers.meanwhile(() => other.promise)];
  let isServed = false;
  const served = viewers.served().then(() => (isServed = true));
  one.resolve();
  await both[0];
  await turn();
  expect(isServed).toBe(false);
  other.reject(new Error('in vain'));
  await expect(both[1]).rejects.toThrow('in vain');
  await served;
});

test('the sandbox begins nothing ahead of time while a viewer waits, and everything else at once', async () => {
  const viewers = viewersFirst();
  const begun: string[] = [];
  const handler = async ({ task }: { task: unknown }, reply: Writable) => {
    begun.push((task as SegmentsTask).line);
    reply.end(DONE);
  };
  const sandbox = sandboxHere(handler, viewers.served);
  const plan = planFor(probeOf({ video: {} }), SOURCE, { maxDurationSeconds: 3600, prewarm: 'all' });
  const task = (line: SegmentsTask['line']): SegmentsTask => ({
    ...{ kind: 'segments', plan, renditions: [], from: 0, to: 1, effort: 'planned', line },
  });
  const grants = {
    id: 'a video',
    source: { sizeBytes: 1, etag: undefined, link: async () => 'http://127.0.0.1/' },
  } as unknown as Grants;
  const viewer = Promise.withResolvers<void>();
  const waiting = viewers.meanwhile(() => viewer.promise);
  const ahead = sandbox.run(task('background'), grants, () => undefined);
  await sandbox.run(task('viewers'), grants, () => undefined);
  await turn();
  expect(begun).toEqual(['viewers']);
  viewer.resolve();
  await Promise.all([waiting, ahead]);
  expect(begun).toEqual(['viewers', 'background']);
});
