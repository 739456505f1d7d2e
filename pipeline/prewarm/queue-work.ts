// Has something made ahead of time: stores the list of work, and queues it.

import { cardKey, workKey } from '../../core/artifacts/keys.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { RecordError } from '../../core/errors.ts';
import { CARD } from '../../core/records/card.ts';
import { WORK, parseWorkList } from '../../core/records/work.ts';
import type { Work } from '../../core/records/work.ts';
import type { NewList } from '../../core/work/admission.ts';
import { cpuSecondsOfWork } from '../../core/work/cpu-seconds.ts';
import { unlessDeleted } from '../life/cleanup.ts';
import { planOf } from '../revisions/revisions.ts';
import { logFailure } from '../observe.ts';
import { putJson, readRecord } from '../store.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';
import { enqueue, isInQueue } from './queue.ts';
import type { Workers } from './queue.ts';

/** Queues a list of work. Where it is queued already nothing changes. */
export type Enqueue = (list: NewList) => Promise<void>;

/**
 * A list is written anew each time, as it follows from plan and store; but not while somebody works it off, nor over one of
 * a newer release.
 * @throws RecordError
 */
export async function queueWork(
  id: string,
  plan: Plan,
  work: readonly Work[],
  world: Pick<World, 'media' | 'uploads'>,
  enqueueList: Enqueue,
): Promise<void> {
  const { media } = world;
  const { rev } = plan;
  if (await isInQueue({ id, rev }, world)) return;
  const key = workKey(id, rev);
  const [before, group] = await Promise.all([media.get(key), groupOf(id, media)]);
  if (before) parseWorkList(Buffer.from(before).toString('utf8'), key);
  await putJson(
    media,
    key,
    work.map((item) => WORK.stored(item)),
  );
  await unlessDeleted(id, world);
  await enqueueList(listToQueue(plan, work, id, group));
}

/** What the card says; where a newer release has written that, the video takes its turn with those that say nothing. */
async function groupOf(id: string, media: Store): Promise<string | undefined> {
  const card = await readRecord(media, CARD, cardKey(id)).catch((error: unknown) => {
    if (!(error instanceof RecordError)) throw error;
    return logFailure(id, error);
  });
  return card?.group;
}

const listToQueue = (plan: Plan, work: readonly Work[], id: string, group = ''): NewList => ({
  ...{ id, rev: plan.rev, group, count: work.length },
  secondsPerItem: cpuSecondsOfWork(plan, work) / work.length,
});

/** Queues a list that lies in the store already. Nobody is called for it: somebody looks every few minutes. */
export async function enqueueStored(
  { id, rev }: Pick<NewList, 'id' | 'rev'>,
  world: Pick<World, 'media'>,
): Promise<void> {
  const key = workKey(id, rev);
  const [plan, stored] = await Promise.all([planOf(id, rev, world.media), world.media.get(key)]);
  if (!plan || !stored) return; // deleted meanwhile
  const work = parseWorkList(Buffer.from(stored).toString('utf8'), key);
  if (work.length > 0) await enqueue(listToQueue(plan, work, id), world, NOBODY);
}

const NOBODY: Workers = { lanes: [], call: () => Promise.resolve() };
