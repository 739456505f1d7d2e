// One item of the work list.

import { WORK } from '../core/records/work.ts';
import { deriveWork } from '../pipeline/derive/derive.ts';
import { worldFromEnvironment } from './world.ts';

const world = worldFromEnvironment();

export const handler = (item: unknown): Promise<void> =>
  deriveWork(WORK.parse(item, `in a list of work (${JSON.stringify(item).slice(0, 100)})`), world, {
    background: true,
  });
