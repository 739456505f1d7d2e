// An upload by an HTML form: the only kind whose size S3 holds to a range.

import { checkedBody, expectationsIn } from './body.ts';
import { locationOf, xmlAnswer, type Answer, type Call, type Storage } from './call.ts';
import { S3Error } from './errors.ts';
import { formIn } from './form.ts';
import { headerText, objectHeaders } from './object-headers.ts';
import { storeObject } from './objects.ts';
import { checkPolicy, type SizeLimits } from './post-policy.ts';
import { checkKey } from './target.ts';

export async function postObject(call: Call, storage: Storage): Promise<Answer> {
  storage.index.requireBucket(call.bucket);
  const { fields, fileName, file } = await formIn(call.request);
  fields.set('bucket', call.bucket);
  const key = fields.get('key')?.replaceAll('${filename}', fileName);
  if (!key) throw new S3Error('InvalidArgument', "Bucket POST must contain a field named 'key'.");
  fields.set('key', key);
  const limits = checkPolicy(fields, storage.keyring, Date.now());
  checkKey(key);
  if (fields.has('success_action_redirect')) throw new S3Error('NotImplemented');

  const headers = new Map([...fields].map(([name, value]) => [name, headerText(value)]));
  const object = await storeObject(storage, {
    call,
    key,
    headers: objectHeaders(headers),
    body: checkedBody(within(limits, file), { expectations: expectationsIn(fields) }),
    precondition: {},
    eventName: 'ObjectCreated:Post',
  });

  const etag = `"${object.etag}"`;
  const location = locationOf(call, key);
  const status = fields.get('success_action_status');
  const answer: Answer =
    status === '201'
      ? xmlAnswer('PostResponse', { Location: location, Bucket: call.bucket, Key: key, ETag: etag }, 201)
      : { status: status === '200' ? 200 : 204 };
  return { ...answer, headers: { ...answer.headers, location, etag } };
}

async function* within(
  { minBytes, maxBytes }: SizeLimits,
  file: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of file) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      throw new S3Error('EntityTooLarge', undefined, { ProposedSize: sizeBytes, MaxSizeAllowed: maxBytes });
    }
    yield chunk;
  }
  if (sizeBytes < minBytes) {
    throw new S3Error('EntityTooSmall', undefined, { ProposedSize: sizeBytes, MinSizeAllowed: minBytes });
  }
}
