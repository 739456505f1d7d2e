// Which keys each function may read and write, as it uses those of core/artifacts/keys.ts.

import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import {
  QUEUE_KEY,
  cardKey,
  cleanupKey,
  firstMezzanineKey,
  firstPlanKey,
  mezzaninePrefix,
  sourceKey,
  tombstoneKey,
  videoPrefix,
} from '../core/artifacts/keys.ts';
import { CURRENT } from '../core/artifacts/artifact.ts';
import { artifactKey } from '../core/artifacts/artifacts.ts';
import { VIDEO_PAGES } from './page.ts';
import { allow } from './video-buckets.ts';

/** Pictures whose address names no revision; as patterns they take in those of revisions, which IAM cannot tell apart. */
const LASTING = [
  artifactKey('*', { kind: 'poster', rev: CURRENT }),
  artifactKey('*', { kind: 'storyboard', rev: CURRENT }),
  `${videoPrefix('*')}thumb/*`,
];

type Buckets = Record<'uploads' | 'media' | 'page', s3.Bucket>;
type Functions = Record<
  'api' | 'ingest' | 'origin' | 'transcode' | 'maintenance' | 'janitor',
  lambda.Function
>;

export function allowAccess(
  { uploads, media, page }: Buckets,
  { api, ingest, origin, transcode, maintenance, janitor }: Functions,
): void {
  const source = sourceKey('*');
  const records = firstPlanKey('*'); // and everything else below plans/
  const card = cardKey('*');
  const artifacts = `${videoPrefix('*')}*`;
  const mezzanine = `${mezzaninePrefix('*')}*`;
  const firstMezzanine = firstMezzanineKey('*'); // not below the prefix; read and deleted, never written
  const [tombstone, cleanup] = [tombstoneKey('*'), cleanupKey('*')];

  allow(api, uploads, {
    read: [source],
    write: [source],
    abort: [source],
    parts: [source],
    list: true,
  });
  // Whoever finds that a video was deleted while it worked asks for a cleanup; for a deletion, only the API.
  allow(api, media, {
    read: [card, records, tombstone],
    write: [card, tombstone, cleanup],
    delete: [card],
    list: true,
  });
  allow(api, page, { read: VIDEO_PAGES, list: true }); // a deployment may have no page
  for (const worker of [ingest, origin, transcode, maintenance]) {
    // Whoever comes first plans.
    allow(worker, uploads, { read: [source], list: true });
    allow(worker, media, {
      read: [card, records, artifacts],
      write: [records, artifacts, cleanup],
      list: true,
    });
  }
  // Whoever queues what is to be made ahead of time, and whoever works it off.
  for (const worker of [ingest, transcode, maintenance]) {
    allow(worker, media, { read: [QUEUE_KEY], write: [QUEUE_KEY] });
  }
  // Records that say what is no more so, and pictures that another revision has not made yet.
  // Whoever makes the last piece of a delayed video completes it.
  for (const worker of [ingest, origin, transcode]) {
    allow(worker, media, { delete: [records, ...LASTING] });
  }
  allow(maintenance, media, {
    read: [tombstone, cleanup],
    write: [tombstone], // what the API asked for is asked for again
    delete: [records, artifacts, mezzanine, firstMezzanine], // of revisions that it sweeps
  });
  allow(janitor, uploads, {
    read: [source],
    delete: [source],
    abort: [source],
    parts: [source],
    list: true,
  });
  allow(janitor, media, {
    read: [card, records, tombstone, cleanup],
    write: [card, tombstone], // of a video that somebody wants back, and how far a deletion is
    delete: [card, records, artifacts, mezzanine, firstMezzanine, tombstone, cleanup],
    abort: [mezzanine],
    parts: [mezzanine],
    list: true,
  });
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
