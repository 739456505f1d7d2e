// What the sandbox does for each task. Nothing in here, nor below it, can reach a store.

import { planFor } from '../../core/plan/plan-for.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { SourceError } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { effortWithin } from '../../core/plan/effort.ts';
import { renditionNamed } from '../../core/plan/plan.ts';
import { PLAN } from '../../core/records/plan.ts';
import { mezzanineProbe } from '../../core/source/mezzanine.ts';
import type { Probe } from '../../core/source/probe.ts';
import { reasonByProbe } from '../../core/source/seekability.ts';
import { withRangeServer } from '../../machine/range-server.ts';
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

export type Tell = (reply: Reply) => Promise<void> | void;

/** Does one task. @throws as `Sandbox.run` does */
export async function perform(
  task: Task,
  grants: Grants,
  tell: Tell,
  { tools, secondsLeft, leave }: TaskOptions & { tools: EncodeTools },
): Promise<void> {
  switch (task.kind) {
    case 'plan':
      return plan(task, grants, tell, { tools, settings: task.settings, secondsLeft }, leave);
    case 'copy':
      return copy(task, grants, tell, { tools, settings: task.settings, secondsLeft });
    case 'segments':
      return segments(task, grants, tell, tools, leave);
    case 'init':
      return init(task, grants, tell, tools, leave);
    case 'still':
      return still(task, grants, tell, tools, leave);
    case 'search':
      return search(task, grants, tell, tools);
  }
}

// A file may say of itself what no clock and no picture can be: a plan of that could be stored, and never read.
const IMPOSSIBLE_NUMBERS =
  'The file is damaged: the times or sizes that it gives for its pictures or its sound cannot be true.';

async function plan(
  { object, settings, foresees }: PlanTask,
  { source }: Grants,
  tell: Tell,
  world: SandboxWorld,
  leave: AbortSignal | undefined,
): Promise<void> {
  let foresight: Foresight | undefined;
  leave?.addEventListener('abort', () => foresight?.giveUp(), { once: true });
  try {
    const found = await withRangeServer(source, async (served) => {
      const claimed = await probeSource(served, world.tools.binaries, settings);
      const promised = foresees ? claimedPlan(claimed, { object, settings }) : undefined;
      if (promised) foresight = foresee(promised, source, world.tools);
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
  { source, copy: granted }: Grants,
  tell: Tell,
  world: SandboxWorld,
): Promise<void> {
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
  { source, segments: granted }: Grants,
  tell: Tell,
  tools: EncodeTools,
  leave: AbortSignal | undefined,
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
      sourceFailure,
    });
    for await (const segment of made) {
      const kept = keep(segment)
        .catch((error: unknown) => void (failed ??= { error }))
        .finally(() => storing.delete(kept));
      storing.add(kept);
      if (storing.size >= STORED_AT_ONCE) await Promise.race(storing);
      if (failed) break;
    }
    await Promise.all(storing);
    if (failed) throw failed.error;
    await tell({ kind: 'read', sourceBytesRead: readBytes() });
  });
}

async function init(
  { plan: of, rendition: name }: InitTask,
  { source }: Grants,
  tell: Tell,
  tools: EncodeTools,
  leave: AbortSignal | undefined,
): Promise<void> {
  const rendition = renditionNamed(of, name);
  if (!rendition) throw new Error(`the plan has no rendition ${name}`);
  await withRangeServer(source, async ({ url, readBytes, failure: sourceFailure }) => {
    const job = { plan: of, rendition, sourceUrl: url };
    const bytes = await encodeInit(job, tools, { sourceFailure, ...(leave && { leave }) });
    await tell({ kind: 'bytes', bytes });
    await tell({ kind: 'read', sourceBytesRead: readBytes() });
  });
}

async function still(
  { plan: of, still: wanted }: StillTask,
  { source }: Grants,
  tell: Tell,
  tools: EncodeTools,
  leave: AbortSignal | undefined,
): Promise<void> {
  await withRangeServer(source, async (served) => {
    const bytes = await makeStill(of, of.stills!, wanted, served, tools, leave);
    await tell({ kind: 'bytes', bytes });
    await tell({ kind: 'read', sourceBytesRead: served.readBytes() });
  });
}

async function search(
  { plan: of }: SearchTask,
  { source }: Grants,
  tell: Tell,
  tools: EncodeTools,
): Promise<void> {
  await withRangeServer(source, async ({ url, readBytes }) => {
    await refuseUndecodable(of, url, tools);
    await tell({ kind: 'read', sourceBytesRead: readBytes() });
  });
}
