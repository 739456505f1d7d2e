// What the sandbox does for each task. Nothing in here, nor below it, can reach a store.

import { planFor } from '../../core/plan/plan-for.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { SourceError } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { effortWithin } from '../../core/plan/effort.ts';
import { renditionNamed } from '../../core/plan/plan.ts';
import { PLAN } from '../../core/records/plan.ts';
import { STORING_SECONDS, TELLING_SECONDS } from '../../core/work/deadlines.ts';
import { mezzanineProbe } from '../../core/source/mezzanine.ts';
import type { Probe } from '../../core/source/probe.ts';
import { reasonByProbe } from '../../core/source/seekability.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { encode, encodeInit } from '../encode/encode.ts';
import type { EncodedSegment } from '../encode/encode.ts';
import { makeStill } from '../encode/still.ts';
import { isCollapse, unlessUnreadable } from '../source/breakdown.ts';
import { copyPlaces } from '../source/copy.ts';
import { makeMezzanine, makeMezzanineAgain } from '../source/mezzanine.ts';
import { probeSource } from '../source/probe-source.ts';
import { seekableSource } from '../source/seekable-source.ts';
import { refuseUndecodable } from '../source/undecodable.ts';
import type { EncodeTools, SandboxWorld } from '../world.ts';
import { foresee } from './foresight.ts';
import type { Foresight } from './foresight.ts';
import type {
  CopyTask,
  Grants,
  InitTask,
  PlanTask,
  Reply,
  SearchTask,
  SegmentsTask,
  StillTask,
  Task,
  TaskOptions,
} from './sandbox.ts';

/** What every task is done with. */
interface Doing {
  grants: Grants;
  tell(reply: Reply): Promise<void> | void;
  tools: EncodeTools;
  leave: AbortSignal | undefined;
  secondsLeft: (() => number) | undefined;
}

/** Does one task. @throws as `Sandbox.run` does */
export async function perform(
  task: Task,
  grants: Grants,
  tell: Doing['tell'],
  { tools, secondsLeft, leave }: TaskOptions & { tools: EncodeTools },
): Promise<void> {
  const doing = { grants, tell, tools, secondsLeft, leave };
  switch (task.kind) {
    case 'plan':
      return plan(task, doing);
    case 'copy':
      return copy(task, doing);
    case 'segments':
      return segments(task, doing);
    case 'init':
      return init(task, doing);
    case 'still':
      return still(task, doing);
    case 'search':
      return search(task, doing);
  }
}

// A file may say of itself what no clock and no picture can be: a plan of that could be stored, and never read.
const IMPOSSIBLE_NUMBERS =
  'The file is damaged: the times or sizes that it gives for its pictures or its sound cannot be true.';

async function plan(
  { object, settings, foresees }: PlanTask,
  { grants: { source }, tell, tools, secondsLeft, leave }: Doing,
): Promise<void> {
  const world: SandboxWorld = { tools, settings, secondsLeft };
  let foresight: Foresight | undefined;
  leave?.addEventListener('abort', () => foresight?.giveUp(), { once: true });
  try {
    const found = await withRangeServer(source, async (served) => {
      const claimed = await probeSource(served, tools.binaries, settings);
      const promised = foresees ? claimedPlan(claimed, { object, settings }) : undefined;
      if (promised) foresight = foresee(promised, source, tools);
      const seekable = await seekableSource(served, { probe: claimed, ...object }, world);
      const sourceBytesRead = served.readBytes();
      if ('reason' in seekable) return { need: seekable, sourceBytesRead };
      return { plan: planOf(seekable.probe, seekable.source, settings), sourceBytesRead };
    });
    const { sourceBytesRead } = found;
    if (found.need) {
      await tell({ kind: 'copy needed', need: found.need, sourceBytesRead });
      return;
    }
    await tell({ kind: 'planned', plan: found.plan, sourceBytesRead });
    await foresight?.settle(found.plan, tell);
  } finally {
    foresight?.giveUp();
  }
}

/** @throws SourceError DAMAGED */
function planOf(probe: Probe, source: Plan['source'], settings: PlanTask['settings']): Plan {
  const made = planFor(probe, source, settings);
  if (PLAN.fault(made) !== undefined) throw new SourceError('DAMAGED', IMPOSSIBLE_NUMBERS);
  return made;
}

/** What the plan will be if all is true that the source says of itself; undefined where that cannot be it. */
function claimedPlan(
  probe: Probe,
  { object, settings }: Pick<PlanTask, 'object' | 'settings'>,
): Plan | undefined {
  if (reasonByProbe(probe)) return undefined;
  try {
    const claimed = planFor(probe, { kind: 'upload', ...object, keyframeSeconds: 0 }, settings);
    return PLAN.fault(claimed) === undefined ? claimed : undefined;
  } catch (error) {
    if (error instanceof SourceError) return undefined; // its end may still show something else
    throw error;
  }
}

async function copy(
  { object, settings, need, key, known }: CopyTask,
  { grants: { source, copy: granted }, tell, tools, secondsLeft }: Doing,
): Promise<void> {
  const world: SandboxWorld = { tools, settings, secondsLeft };
  const { probe, reason } = need;
  const made = known?.isStored
    ? { mezzanine: known.mezzanine, parts: [], sourceBytesRead: 0 }
    : await withRangeServer(source, async (served) => {
        const copied = { probe, sizeBytes: object.sizeBytes };
        const places = copyPlaces(granted!);
        const [lost, way] = [known?.mezzanine, known?.mezzanine.way];
        const making = () =>
          lost && way
            ? makeMezzanineAgain(served, copied, places, world, { ...lost, way })
            : makeMezzanine(served, copied, places, world);
        // A copy also takes long where the store is slow to take it.
        const result = await unlessUnreadable(served, making, isCollapse);
        return { ...result, sourceBytesRead: served.readBytes() };
      });
  const { mezzanine } = made;
  const keyframeSeconds = Math.max(0, ...mezzanine.tracks.map((track) => track.keyframeSeconds));
  const planned = planOf(
    mezzanineProbe(probe, mezzanine),
    {
      ...{ kind: 'mezzanine', key, reason },
      ...{ sizeBytes: mezzanine.sizeBytes, etag: object.etag, keyframeSeconds },
    },
    settings,
  );
  await tell({ kind: 'copied', plan: planned, ...made });
}

/** So many segments are on their way to the store at once. */
const STORED_AT_ONCE = 8;

async function segments(
  { plan: of, renditions, from, to, effort, line, returned = [] }: SegmentsTask,
  { grants: { source, segments: granted }, tell, tools, leave, secondsLeft }: Doing,
): Promise<void> {
  const { encodeMemoryBytes } = tools.limits ?? DEFAULT_LIMITS;
  await withRangeServer(source, async ({ url, readBytes, failure: sourceFailure }) => {
    const job = {
      ...{ plan: of, renditions, from, to, sourceUrl: url },
      effort: effort === 'planned' ? effortWithin(of, encodeMemoryBytes) : effort,
    };
    const storing = new Set<Promise<void>>();
    let failed: { error: unknown } | undefined;
    let told: Promise<void> = Promise.resolve();
    const keep = async ({ rendition, index, bytes, rescue }: EncodedSegment): Promise<void> => {
      const name = `${rendition}/${index}`;
      const grant = rescue ? undefined : granted?.get(name);
      // It is stored already, and only came with the others of its run.
      if (granted && !grant && !rescue && !returned.includes(name)) return;
      const made = grant ? { outcome: await grant.put(bytes) } : { bytes };
      told = told.then(() => tell({ kind: 'segment', rendition, index, rescue, made }));
      await told;
    };
    const made = encode(job, tools, {
      background: line === 'background',
      ...(leave && { leave }),
      // Of what is not stored as it is made, nothing is left either way.
      ...(granted && secondsLeft && { secondsLeft: () => secondsLeft() - STORING_SECONDS }),
      sourceFailure,
    });
    try {
      for await (const segment of made) {
        const kept = keep(segment)
          .catch((error: unknown) => void (failed ??= { error }))
          .finally(() => storing.delete(kept));
        storing.add(kept);
        if (storing.size >= STORED_AT_ONCE) await Promise.race(storing);
        if (failed) break;
      }
    } finally {
      await Promise.all(storing);
    }
    if (failed) throw failed.error;
    await tell({ kind: 'read', sourceBytesRead: readBytes() });
  });
}

async function init({ plan: of, rendition: name }: InitTask, doing: Doing): Promise<void> {
  const rendition = renditionNamed(of, name);
  if (!rendition) throw new Error(`the plan has no rendition ${name}`);
  const { tools, leave } = doing;
  await tellBytes(doing, ({ url: sourceUrl, failure: sourceFailure }) =>
    encodeInit({ plan: of, rendition, sourceUrl }, tools, { sourceFailure, ...(leave && { leave }) }),
  );
}

function still({ plan: of, still: wanted }: StillTask, doing: Doing): Promise<void> {
  const { tools, leave, secondsLeft } = doing;
  const left = secondsLeft && (() => secondsLeft() - TELLING_SECONDS);
  return tellBytes(doing, (served) =>
    makeStill(of, of.stills!, wanted, served, tools, { leave, secondsLeft: left }),
  );
}

/** What only one object comes of. */
async function tellBytes(
  { grants: { source }, tell }: Doing,
  make: (served: ServedSource) => Promise<Uint8Array>,
): Promise<void> {
  await withRangeServer(source, async (served) => {
    await tell({ kind: 'bytes', bytes: await make(served) });
    await tell({ kind: 'read', sourceBytesRead: served.readBytes() });
  });
}

async function search({ plan: of }: SearchTask, { grants: { source }, tell, tools }: Doing): Promise<void> {
  await withRangeServer(source, async ({ url, readBytes }) => {
    await refuseUndecodable(of, url, tools);
    await tell({ kind: 'read', sourceBytesRead: readBytes() });
  });
}
