// Which keys each function may read and write, as it uses those of core/artifacts/keys.ts.

import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import {
  cardKey,
  delayKey,
  firstMezzanineKey,
  firstPlanKey,
  mezzaninePrefix,
  sourceKey,
  videoPrefix,
} from '../core/artifacts/keys.ts';
import { VIDEO_PAGES } from './page.ts';
import { allow } from './video-buckets.ts';

type Buckets = Record<'uploads' | 'media' | 'page', s3.Bucket>;
type Functions = Record<
  'api' | 'ingest' | 'origin' | 'transcode' | 'finish' | 'maintenance',
  lambda.Function
>;

export function allowAccess(
  { uploads, media, page }: Buckets,
  { api, ingest, origin, transcode, finish, maintenance }: Functions,
): void {
  const source = sourceKey('*');
  const records = firstPlanKey('*'); // and everything else below plans/
  const card = cardKey('*');
  const artifacts = `${videoPrefix('*')}*`;
  const mezzanine = `${mezzaninePrefix('*')}*`;
  const firstMezzanine = firstMezzanineKey('*'); // not below the prefix; read and deleted, never written

  allow(api, uploads, {
    read: [source],
    write: [source],
    delete: [source],
    abort: [source],
    parts: [source],
    list: true,
  });
  allow(api, media, {
    read: [card, records],
    write: [card, delayKey('*')], // a deletion is noted until it is complete
    delete: [card, records, artifacts, mezzanine, firstMezzanine],
    list: true,
  });
  allow(api, page, { read: VIDEO_PAGES, list: true }); // a deployment may have no page
  for (const worker of [ingest, origin, transcode, finish, maintenance]) {
    // Whoever comes first plans; and whoever finds that a video was deleted while it worked deletes what is left.
    allow(worker, uploads, { read: [source], delete: [source], list: true });
    allow(worker, media, {
      read: [card, records, artifacts],
      write: [records, artifacts],
      delete: [card, records, artifacts, mezzanine, firstMezzanine],
      list: true,
    });
  }
  // Whoever plans a source that cannot be sought in has it copied; all who have something made of it grant the copy.
  allow(transcode, media, { read: [mezzanine, firstMezzanine] });
  for (const planner of [ingest, origin, maintenance]) {
    allow(planner, media, {
      read: [mezzanine, firstMezzanine],
      write: [mezzanine],
      abort: [mezzanine],
      parts: [mezzanine], // a copy that is complete ends the uploads of those who did not complete it
    });
  }
}
