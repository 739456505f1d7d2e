// The world as the pipeline sees it; each entry builds one from its environment.

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
