// A world (pipeline/world.ts) for one test: two buckets in memory, real ffmpeg, and a note of what was observed.

import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { PrewarmExtent } from '../../core/plan/plan-for.ts';
import { DEFAULT_PREWARM_CONCURRENCY } from '../../core/work/lanes.ts';
import type { Observation } from '../../pipeline/observe.ts';
import { perform } from '../../pipeline/sandbox/perform.ts';
import type { Sandbox } from '../../pipeline/sandbox/sandbox.ts';
import type { EncodeTools, World } from '../../pipeline/world.ts';
import { binaries } from './media.ts';
import { memoryStore } from './memory-store.ts';
import type { MemoryStore } from './memory-store.ts';

/** A sandbox in this process, with these tools. */
export const sandboxOf = (tools: () => EncodeTools): Sandbox => ({
  run: (task, grants, tell, options) => perform(task, grants, tell, { ...options, tools: tools() }),
});

export interface TestWorld extends World {
  uploads: MemoryStore;
  media: MemoryStore;
  /** Those of its sandbox; a test may put others in their place. */
  tools: EncodeTools;
  observed: Observation[];
}

export function worldIn(temporaryDirectory: string): TestWorld {
  const observed: Observation[] = [];
  const world: TestWorld = {
    uploads: memoryStore(),
    media: memoryStore(),
    tools: { binaries, temporaryDirectory },
    sandbox: sandboxOf(() => world.tools),
    settings: { ...DEFAULT_LIMITS, maxDurationSeconds: 3600, prewarm: 'all' as PrewarmExtent },
    lanes: DEFAULT_PREWARM_CONCURRENCY,
    observe: (observation: Observation) => void observed.push(observation),
    observed,
  };
  return world;
}

/** The same world with other tools. */
export const withTools = (world: TestWorld, tools: EncodeTools): TestWorld => ({
  ...world,
  tools,
  sandbox: sandboxOf(() => tools),
});
