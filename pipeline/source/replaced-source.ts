// A form may overwrite a file for an hour. Nothing of the one is ever mixed with the other: the new file is planned,
// and what was made of the old one is a former revision.

import { SourceError } from '../../core/errors.ts';
import { errorKey, planKey, sourceKey } from '../../core/artifacts/keys.ts';
import { PLAN } from '../../core/records/plan.ts';
import { unlessDeleted } from '../life/cleanup.ts';
import { formerRevision } from '../revisions/grace.ts';
import { rewriteLasting } from '../derive/lasting.ts';
import { planSource } from '../life/plan-source.ts';
import { refuse } from '../life/planning.ts';
import { changeRevisions, currentPlanOf, readyMarkerOf } from '../revisions/revisions.ts';
import { createRecord } from '../store.ts';
import type { World } from '../world.ts';

/**
 * Where another file has taken the place of the one that the current revision was planned from, what it is planned as
 * becomes the current one at once: of the old file nothing else can be made. A file that has to be refused does not
 * take the place of a video that is ready.
 * @returns whether it did
 * @throws RequestError SOURCE_REPLACED where that happens again meanwhile; SourceError where the new file is refused,
 *   and the video with it; OutageError; RecordError
 */
export async function planReplacedSource(id: string, world: World): Promise<void> {
  const { media, uploads } = world;
  const [former, source] = await Promise.all([currentPlanOf(id, media), uploads.head(sourceKey(id))]);
  if (!former || !source || former.source.etag === undefined || former.source.etag === source.etag) return;
  const planned = await planSource(id, source, world).catch(async (error: unknown) => {
    if (!(error instanceof SourceError)) throw error;
    if (!(await readyMarkerOf(id, former.rev, media))) await refuse(id, error, world);
    throw error;
  });
  const { plan } = planned;
  await createRecord(media, PLAN, planKey(id, plan.rev), plan);
  const now = new Date();
  await changeRevisions(id, media, (before) => {
    if (before.current !== former.rev) return undefined;
    const others = before.former.filter(({ rev }) => rev !== plan.rev);
    return { current: plan.rev, next: null, former: [...others, formerRevision(former.rev, former, now)] };
  });
  await unlessDeleted(id, world);
  await media.delete([errorKey(id)]);
  await rewriteLasting(id, media);
}
