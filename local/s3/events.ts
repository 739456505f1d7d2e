// What is told when an object has come to be, in the words of AWS's notifications (S3 user guide, "Event
// message structure"), so that the same code hears it here and there.

import type { S3Event } from 'aws-lambda';
import type { StoredObject } from './object-index.ts';
import { pathEncoded } from './target.ts';

export interface ObjectCreated {
  eventName: 'ObjectCreated:Put' | 'ObjectCreated:Post' | 'ObjectCreated:CompleteMultipartUpload';
  bucket: string;
  object: StoredObject;
  requestId: string;
  sourceIp: string;
}

export function s3Event(created: ObjectCreated, owner: { accessKeyId: string; region: string }): S3Event {
  const { eventName, bucket, object, requestId, sourceIp } = created;
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: owner.region,
        eventTime: new Date(object.modifiedMs).toISOString(),
        eventName,
        userIdentity: { principalId: owner.accessKeyId },
        requestParameters: { sourceIPAddress: sourceIp },
        responseElements: { 'x-amz-request-id': requestId, 'x-amz-id-2': requestId },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'embedded',
          bucket: {
            name: bucket,
            ownerIdentity: { principalId: owner.accessKeyId },
            arn: `arn:aws:s3:::${bucket}`,
          },
          object: {
            key: pathEncoded(object.key).replaceAll('%20', '+'),
            size: object.sizeBytes,
            eTag: object.etag,
            // Compared as text to tell which of two events about a key is the later, hence the fixed width.
            sequencer: object.id.toString(16).toUpperCase().padStart(16, '0'),
          },
        },
      },
    ],
  };
}
