// The end of the work list: everything exists, or something failed for good.

import { failVideo } from '../pipeline/fail-video.ts';
import { finish } from '../pipeline/finish.ts';
import { bucketsFromEnvironment } from './buckets.ts';
import { observe } from './observability.ts';

const world = { ...bucketsFromEnvironment(), observe };

/** Executions that began before there were revisions do not name one. */
interface Outcome {
  id: string;
  rev?: string;
  failed?: boolean;
}

export const handler = ({ id, rev, failed }: Outcome): Promise<void> =>
  failed ? failVideo(id, rev, world) : finish(id, rev, world, new Date());
