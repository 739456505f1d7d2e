// A video whose plan is in hand, for whoever does several things with it: nobody further down asks the store for it again,
// and whatever the sandbox is asked for of it, is granted its source.

import { SourceError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { refuse } from '../life/planning.ts';
import { revisionsOf } from '../revisions/revisions.ts';
import type {
  Grants,
  InitTask,
  Reply,
  SearchTask,
  SegmentsTask,
  StillTask,
  TaskOptions,
} from '../sandbox/sandbox.ts';
import { sourceOf } from '../source/ranges.ts';
import type { World } from '../world.ts';

/** What the sandbox can be asked of a video that is planned, whose plan goes without saying. */
export type VideoTask = WithoutPlan<InitTask | SearchTask | SegmentsTask | StillTask>;
type WithoutPlan<Task> = Task extends unknown ? Omit<Task, 'plan'> : never;

export interface PlannedVideo {
  id: string;
  plan: Plan;
  world: World;
  /**
   * Has the sandbox do a task with the source. A source that turns out to be damaged beyond use is refused, though it has
   * a plan; but not where another plan of it has been good enough.
   * @throws as `Sandbox.run` does
   */
  ask(
    task: VideoTask,
    tell: (reply: Reply) => Promise<void> | void,
    options?: Pick<Grants, 'segments'> & Pick<TaskOptions, 'leave'>,
  ): Promise<void>;
}

export function plannedVideo(id: string, plan: Plan, world: World): PlannedVideo {
  const source = sourceOf(id, plan.source, world);
  return {
    ...{ id, plan, world },
    async ask(task, tell, { segments, leave } = {}) {
      const { secondsLeft } = world;
      try {
        await world.sandbox.run({ ...task, plan }, { id, source, ...(segments && { segments }) }, tell, {
          leave,
          secondsLeft,
        });
      } catch (error) {
        if (error instanceof SourceError && (await isOnlyRevision(id, plan.rev, world))) {
          await refuse(id, error, world);
        }
        throw error;
      }
    },
  };
}

async function isOnlyRevision(id: string, rev: string, { media }: World): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  return revisions?.current === rev && !revisions.next && revisions.former.length === 0;
}
