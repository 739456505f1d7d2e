// The world: all that the pipeline reaches outside of its own process, as one value that it is handed. Each entry builds
// one from its environment; a function that needs a part of it says which.

import type { SourceLimits } from '../core/limits.ts';
import type { FfmpegBinaries } from '../machine/ffmpeg.ts';
import type { Observe } from './observe.ts';
import type { Sandbox, SourceSettings } from './sandbox/sandbox.ts';
import type { Store } from './store.ts';

/** Of whoever decides, keeps records and stores. It decodes nothing itself. */
export interface World {
  uploads: Store;
  media: Store;
  sandbox: Sandbox;
  settings: SourceSettings;
  /** How many items are made ahead of time at once, of all videos (core/work/lanes.ts). */
  lanes: number;
  observe: Observe;
  /** Until this process is ended from outside; undefined where nobody does that. */
  secondsLeft?: () => number;
}

/** Of the sandbox, for one task: there is no store in it. */
export interface SandboxWorld {
  tools: EncodeTools;
  settings: SourceSettings;
  secondsLeft?: (() => number) | undefined;
}

export interface EncodeTools {
  binaries: FfmpegBinaries;
  /** Where segments are written before they are read back and removed. */
  temporaryDirectory: string;
  /** @default DEFAULT_LIMITS */
  limits?: SourceLimits;
}
