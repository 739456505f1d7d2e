// Which operation a request asks for: by its method, what it is aimed at, and the names in its query.

import {
  createBucket,
  deleteBucket,
  getBucketCors,
  headBucket,
  listBuckets,
  putBucketCors,
} from './buckets.ts';
import type { Answer, Call, Storage } from './call.ts';
import { S3Error } from './errors.ts';
import { listObjects } from './listing.ts';
import { deleteObject, deleteObjects, getObject, putObject } from './objects.ts';
import { postObject } from './post-object.ts';
import type { Target } from './target.ts';
import { abortUpload, completeUpload, createUpload, listParts, listUploads, uploadPart } from './uploads.ts';

export type Operation = (call: Call, storage: Storage) => Promise<Answer>;

interface Route {
  aim: string;
  required?: readonly string[];
  optional?: readonly string[];
  operation: Operation;
}

const LISTING = [
  'prefix',
  'delimiter',
  'start-after',
  'continuation-token',
  'max-keys',
  'encoding-type',
  'fetch-owner',
];
const UPLOADS = ['prefix', 'key-marker', 'upload-id-marker', 'max-uploads', 'encoding-type'];
const OVERRIDES = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
];

const ROUTES: readonly Route[] = [
  { aim: 'GET service', operation: listBuckets },

  { aim: 'PUT bucket', operation: createBucket },
  { aim: 'HEAD bucket', operation: headBucket },
  { aim: 'DELETE bucket', operation: deleteBucket },
  { aim: 'PUT bucket', required: ['cors'], operation: putBucketCors },
  { aim: 'GET bucket', required: ['cors'], operation: getBucketCors },
  { aim: 'GET bucket', required: ['list-type'], optional: LISTING, operation: listObjects },
  { aim: 'GET bucket', required: ['uploads'], optional: UPLOADS, operation: listUploads },
  { aim: 'POST bucket', required: ['delete'], operation: deleteObjects },

  { aim: 'PUT object', operation: putObject },
  { aim: 'GET object', optional: OVERRIDES, operation: getObject },
  { aim: 'HEAD object', optional: OVERRIDES, operation: getObject },
  { aim: 'DELETE object', operation: deleteObject },

  { aim: 'POST object', required: ['uploads'], operation: createUpload },
  { aim: 'PUT object', required: ['uploadId', 'partNumber'], operation: uploadPart },
  {
    aim: 'GET object',
    required: ['uploadId'],
    optional: ['part-number-marker', 'max-parts'],
    operation: listParts,
  },
  { aim: 'POST object', required: ['uploadId'], operation: completeUpload },
  { aim: 'DELETE object', required: ['uploadId'], operation: abortUpload },
];

// Headers of S3's own that we honour, or that ask for nothing.
const KNOWN_HEADERS =
  /^x-amz-(date|content-sha256|security-token|user-agent|decoded-content-length|trailer|meta-.*|checksum-(mode|algorithm|crc32|crc32c|sha1|sha256)|sdk-checksum-algorithm)$/;

/** A form carries its authority in its fields, not in a signature over the request. */
export function isForm(method: string, target: Target, contentType: string | undefined): boolean {
  return method === 'POST' && target.key === '' && /^multipart\/form-data\b/i.test(contentType ?? '');
}

export const formOperation: Operation = postObject;

/** What we do not know we refuse: an ignored `?tagging` would write the tags over the object. */
export function operationFor(
  method: string,
  target: Target,
  headers: ReadonlyMap<string, string>,
): Operation {
  const aim = `${method} ${target.bucket === '' ? 'service' : target.key === '' ? 'bucket' : 'object'}`;
  const candidates = ROUTES.filter((route) => route.aim === aim);
  if (candidates.length === 0) throw new S3Error('MethodNotAllowed');

  const names = target.query.map(([name]) => name).filter((name) => !/^(x-amz-.*|x-id)$/i.test(name));
  const route = candidates.find(
    ({ required = [], optional = [] }) =>
      required.every((name) => names.includes(name)) &&
      names.every((name) => required.includes(name) || optional.includes(name)),
  );
  const strangers = [...headers.keys()].filter(
    (name) => name.startsWith('x-amz-') && !KNOWN_HEADERS.test(name),
  );
  if (!route || strangers.length > 0) {
    throw new S3Error('NotImplemented', undefined, { Query: names.join(' '), Headers: strangers.join(' ') });
  }
  return route.operation;
}
