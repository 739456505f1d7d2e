// Hands a work list to an engine, which runs it: an execution.

import { workKey } from '../../core/artifacts/keys.ts';
import { LONGEST_EXECUTION_SECONDS } from '../../core/limits.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { WORK, parseWorkList } from '../../core/records/work.ts';
import type { Work } from '../../core/records/work.ts';
import { unlessDeleted } from './cleanup.ts';
import { putJson } from '../store.ts';
import type { World } from '../world.ts';

/** How long an engine may be at a list before it counts as lost: as lib/work-state-machine.ts ends an execution. */
export const LONGEST_RUN_MS = LONGEST_EXECUTION_SECONDS * 1000;

export interface ExecutionRequest {
  id: string;
  rev: string;
  workKey: string;
  /** Of a list that is to run although one of this revision has run before; when it was asked for. */
  again?: Date | undefined;
}

/** Asks an engine to run the work list at `workKey`. Asking again for a list that is running starts nothing. */
export type StartExecution = (request: ExecutionRequest) => Promise<void>;

/**
 * A list is written anew each time, as it follows from plan and store; but not over one of a newer release.
 * @throws RecordError
 */
export async function startWork(
  id: string,
  { rev }: Pick<Plan, 'rev'>,
  work: readonly Work[],
  world: Pick<World, 'media' | 'uploads'>,
  startExecution: StartExecution,
  { again }: Pick<ExecutionRequest, 'again'> = {},
): Promise<void> {
  const key = workKey(id, rev);
  const before = await world.media.get(key);
  if (before) parseWorkList(Buffer.from(before).toString('utf8'), key);
  await putJson(
    world.media,
    key,
    work.map((item) => WORK.stored(item)),
  );
  await unlessDeleted(id, world);
  await startExecution({ id, rev, workKey: key, again });
}
