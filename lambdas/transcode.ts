// One item of the work list.

import { deriveChunk } from '../pipeline/derive.ts';
import type { Chunk } from '../core/work.ts';
import { worldFromEnvironment } from './world.ts';

const world = worldFromEnvironment();

export const handler = (chunk: Chunk): Promise<void> => deriveChunk(chunk, world, { background: true });
