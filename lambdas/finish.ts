// The end of the work list: everything exists, or something could not be made.

import { OUTAGE_CODES } from '../core/errors.ts';
import type { OutageCode } from '../core/errors.ts';
import { failVideo } from '../pipeline/life/fail-video.ts';
import { finish } from '../pipeline/life/finish.ts';
import { withFailureLogged } from '../pipeline/observe.ts';
import { bucketsFromEnvironment } from './buckets.ts';
import { observe } from './observability.ts';

const world = { ...bucketsFromEnvironment(), observe };

/**
 * How items ended: `done`, `failed`, or the name of the error of one that met an outage. Executions that began before
 * that was told apart say `failed` instead, and those from before there were revisions name none.
 */
interface Outcome {
  id: string;
  rev?: string;
  outcomes?: readonly string[];
  failed?: boolean;
}

export const handler = (outcome: Outcome): Promise<void> =>
  withFailureLogged(outcome.id, () => ended(outcome));

async function ended({ id, rev, outcomes = [], failed }: Outcome): Promise<void> {
  const now = new Date();
  if (failed || outcomes.includes('failed')) return failVideo(id, rev, 'ENCODING_FAILED', world, now);
  const outage = outcomes.find((outcome) => OUTAGE_CODES.includes(outcome as OutageCode));
  if (outage) return failVideo(id, rev, outage as OutageCode, world, now);
  return finish(id, rev, world, now);
}
