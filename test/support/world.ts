// A world (pipeline/world.ts) for one test: two buckets in memory, real ffmpeg, and a note of what was observed.

import { DEFAULT_LIMITS } from '../../core/limits.ts';
import type { PrewarmExtent } from '../../core/plan/plan-for.ts';
import type { Observation } from '../../pipeline/observe.ts';
import { binaries } from './media.ts';
import { memoryStore } from './memory-store.ts';

export function worldIn(temporaryDirectory: string) {
  const observed: Observation[] = [];
  return {
    uploads: memoryStore(),
    media: memoryStore(),
    tools: { binaries, temporaryDirectory },
    settings: { ...DEFAULT_LIMITS, maxDurationSeconds: 3600, prewarm: 'all' as PrewarmExtent },
    observe: (observation: Observation) => void observed.push(observation),
    observed,
  };
}
