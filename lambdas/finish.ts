// The end of the work list: everything exists, or something failed for good.

import { failVideo } from '../pipeline/fail-video.ts';
import { finish } from '../pipeline/finish.ts';
import { worldFromEnvironment } from './world.ts';

const world = worldFromEnvironment();

export const handler = ({ id, failed }: { id: string; failed?: boolean }): Promise<void> =>
  failed ? failVideo(id, world) : finish(id, world, new Date());
