// One item of the work list.

import { deriveWork } from '../pipeline/derive.ts';
import type { Work } from '../core/work.ts';
import { worldFromEnvironment } from './world.ts';

const world = worldFromEnvironment();

export const handler = (work: Work): Promise<void> => deriveWork(work, world, { background: true });
