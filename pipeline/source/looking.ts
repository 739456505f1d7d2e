// How a tool is run that looks at a source, and neither writes a file nor takes long.

import type { RunOptions } from '../../machine/ffmpeg.ts';
import type { SourceLimits } from '../../core/limits.ts';

export const looking = (
  task: string,
  { probeTimeoutSeconds, probeMemoryBytes }: Pick<SourceLimits, 'probeTimeoutSeconds' | 'probeMemoryBytes'>,
): Pick<RunOptions, 'task' | 'line' | 'timeoutSeconds' | 'maxFileBytes' | 'maxMemoryBytes'> => ({
  ...{ task, line: 'looking' },
  timeoutSeconds: probeTimeoutSeconds,
  maxFileBytes: 0,
  maxMemoryBytes: probeMemoryBytes,
});
