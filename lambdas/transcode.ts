// One item of the work list.

import { WORK } from '../core/records/work.ts';
import { deriveWork } from '../pipeline/derive/derive.ts';
import { withFailureLogged } from '../pipeline/observe.ts';
import { worldFromEnvironment } from './world.ts';

const world = worldFromEnvironment();

export const handler = (item: unknown): Promise<void> =>
  withFailureLogged((item as { id?: string } | null)?.id, async () => {
    const work = WORK.parse(item, `in a list of work (${JSON.stringify(item).slice(0, 100)})`);
    await deriveWork(work, world, { background: true });
  });
