// What a source would be planned as now: asked of the sandbox, which is granted the source, and where the source has to be
// copied, a place for the copy. What the sandbox says is kept here.

import { OutageError, SOURCE_ERROR_SENTENCES, SourceError } from '../../core/errors.ts';
import { mezzanineKey, mezzanineRecordKey } from '../../core/artifacts/keys.ts';
import { unbelievable } from '../../core/plan/believable.ts';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import type { ForeseenSegment, Opening } from '../derive/foreseen.ts';
import type { CopyNeed, Reply, ReplyOf, SegmentReply, UploadedObject } from '../sandbox/sandbox.ts';
import { logFailure } from '../observe.ts';
import { uploadOf } from '../source/ranges.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { World } from '../world.ts';
import { unlessDeleted } from './cleanup.ts';

export interface PlannedUpload {
  plan: Plan;
  sourceBytesRead: number;
  /** First segments that are being made beside it. */
  opening: Opening;
  /** Nobody wants those any more. */
  giveUp(): void;
}

/**
 * What a source would be planned as now. Nothing is stored but, where it needs one, its copy.
 * @throws SourceError; OutageError; FfmpegError
 */
export async function planSource(
  id: string,
  { sizeBytes, etag }: UploadedObject,
  world: World,
  { foresees = false } = {},
): Promise<PlannedUpload> {
  const object = { sizeBytes, etag };
  if (sizeBytes === 0) throw new SourceError('EMPTY_FILE');
  const found = await ask(id, object, world, foresees);
  if (found.kind === 'planned') return found;
  const copied = await planCopy(id, object, found.need, world);
  const sourceBytesRead = found.sourceBytesRead + copied.sourceBytesRead;
  return { ...NO_OPENING, plan: copied.plan, sourceBytesRead };
}

const NO_OPENING = { opening: new Map(), giveUp: () => undefined };

/** Resolves as soon as there is a plan; first segments follow. */
async function ask(
  id: string,
  object: UploadedObject,
  world: World,
  foresees: boolean,
): Promise<(PlannedUpload & { kind: 'planned' }) | ReplyOf<'copy needed'>> {
  const { settings, secondsLeft } = world;
  const givenUp = new AbortController();
  const answer = Promise.withResolvers<Awaited<ReturnType<typeof ask>>>();
  const opening = new Map<string, PromiseWithResolvers<ForeseenSegment | undefined>>();
  const tell = (reply: Reply): void => {
    if (reply.kind === 'copy needed') answer.resolve(reply);
    if (reply.kind === 'segment') opening.get(reply.rendition)?.resolve(foreseenIn(reply));
    if (reply.kind !== 'planned') return;
    believe(reply.plan, { kind: 'upload', ...object }, world);
    if (foresees) {
      for (const { name } of openingRenditions(reply.plan)) opening.set(name, Promise.withResolvers());
    }
    answer.resolve({
      ...reply,
      opening: new Map([...opening].map(([name, { promise }]) => [name, promise])),
      giveUp: () => givenUp.abort(),
    });
  };
  const grants = { id, source: uploadOf(id, object, world) };
  const options = { leave: givenUp.signal, secondsLeft };
  world.sandbox
    .run({ kind: 'plan', object, settings, foresees }, grants, tell, options)
    // What was not made until then is made, and what went wrong is told, when somebody asks for it.
    .finally(() => opening.forEach(({ resolve }) => resolve(undefined)))
    .then(
      () => answer.reject(new OutageError('TOOL_UNAVAILABLE', 'The sandbox gave no plan.')),
      answer.reject,
    );
  return answer.promise;
}

/** Of a first segment; of another, and of one without its bytes, nobody has asked for. */
const foreseenIn = ({ index, made, rescue }: SegmentReply): ForeseenSegment | undefined =>
  index === 0 && 'bytes' in made ? { bytes: made.bytes, rescue } : undefined;

/**
 * The plan of a source's copy: the one that was made when the video was first planned, or one made now.
 * @throws SourceError DAMAGED where not one picture and no sound could be copied, TOO_LARGE_TO_COPY; OutageError
 */
async function planCopy(
  id: string,
  object: UploadedObject,
  need: CopyNeed,
  world: World,
): Promise<{ plan: Plan; sourceBytesRead: number }> {
  const { media, settings, secondsLeft } = world;
  const [key, recordKey] = [mezzanineKey(id, object.etag), mezzanineRecordKey(id, object.etag)];
  const [mezzanine, stored] = await Promise.all([readRecord(media, MEZZANINE, recordKey), media.head(key)]);
  const isStored = mezzanine !== undefined && stored?.sizeBytes === mezzanine.sizeBytes;
  if (!isStored && !mezzanine?.way && object.sizeBytes > settings.maxCopiedBytes) {
    throw tooLargeToCopy(object.sizeBytes, settings.maxCopiedBytes);
  }
  const known = mezzanine ? { mezzanine, isStored } : null;
  const copy = isStored ? undefined : await media.upload(key, { contentType: 'video/x-matroska' });
  let made: ReplyOf<'copied'> | undefined;
  try {
    await world.sandbox.run(
      { kind: 'copy', object, settings, need, key, known },
      { id, source: uploadOf(id, object, world), ...(copy && { copy }) },
      (reply) => {
        if (reply.kind === 'copied') made = reply;
      },
      { secondsLeft },
    );
    if (!made) throw new OutageError('TOOL_UNAVAILABLE', 'The sandbox made no copy.');
    const { sizeBytes } = made.mezzanine;
    believe(made.plan, { kind: 'mezzanine', key, etag: object.etag, sizeBytes }, world);
    await copy?.complete(made.parts, made.mezzanine.sizeBytes);
  } catch (error) {
    // Where the store is away its own rules remove what lies there unfinished.
    await copy?.abort().catch((unfinished: unknown) => logFailure(id, unfinished));
    throw error;
  }
  const { plan, mezzanine: record, sourceBytesRead } = made;
  if (copy) {
    await updateRecord(media, MEZZANINE, recordKey, () => record);
    await unlessDeleted(id, world);
  }
  return { plan, sourceBytesRead };
}

/** @throws OutageError TOOL_UNAVAILABLE where the plan is none of this source */
function believe(plan: Plan, source: Parameters<typeof unbelievable>[1], { settings }: World): void {
  const why = unbelievable(plan, source, settings);
  if (why !== undefined) {
    throw new OutageError('TOOL_UNAVAILABLE', `The sandbox gave a plan that cannot be one: ${why}.`);
  }
}

function tooLargeToCopy(sizeBytes: number, maxCopiedBytes: number): SourceError {
  const [has, most] = [sizeBytes, maxCopiedBytes].map((bytes) => (bytes / 1024 ** 3).toFixed(1));
  return new SourceError(
    'TOO_LARGE_TO_COPY',
    `${SOURCE_ERROR_SENTENCES.TOO_LARGE_TO_COPY} (It has ${has} GiB; without an index, ${most} are taken.)`,
  );
}
