// The end of the work list: everything exists, or something failed for good.

import { failVideo } from '../pipeline/fail-video.ts';
import { finish } from '../pipeline/finish.ts';
import { bucketsFromEnvironment } from './buckets.ts';
import { observe } from './observability.ts';

const world = { ...bucketsFromEnvironment(), observe };

export const handler = ({ id, failed }: { id: string; failed?: boolean }): Promise<void> =>
  failed ? failVideo(id, world) : finish(id, world, new Date());
