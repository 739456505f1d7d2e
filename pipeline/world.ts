// The world: all that the pipeline reaches outside of its own process, as one value that it is handed. Each entry builds
// one from its environment; a function that needs a part of it says which.

import type { SourceLimits } from '../core/limits.ts';
import type { PlanSettings } from '../core/plan/plan.ts';
import type { EncodeTools } from './derive/encode.ts';
import type { Observe } from './observe.ts';
import type { Store } from './store.ts';

export interface World {
  uploads: Store;
  media: Store;
  tools: EncodeTools;
  settings: PlanSettings & SourceLimits;
  observe: Observe;
}
