// The two buckets that are the pipeline's only state: `uploads` holds what people sent, `media` all that follows from
// it. Neither is versioned: a source's key is given out once and cannot be overwritten, an artifact is written once
// and can be made again, and what a person deletes must be gone.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PREFLIGHT_SECONDS, UNFINISHED_UPLOAD_DAYS } from '../core/limits.ts';
import { acknowledge, logicalId, wildcards } from './acknowledge.ts';

export interface VideoBucketsProps {
  removalPolicy: RemovalPolicy;
  expireSourcesAfter?: Duration | undefined;
}

export class VideoBuckets extends Construct {
  readonly uploads: s3.Bucket;
  readonly media: s3.Bucket;

  constructor(scope: Construct, id: string, { removalPolicy, expireSourcesAfter }: VideoBucketsProps) {
    super(scope, id);
    this.uploads = privateBucket(this, 'Uploads', {
      removalPolicy,
      cors: [
        {
          // The presigned URL is the authority. The page's own origin cannot stand here: the CDN's domain depends on
          // the functions, and they on this bucket.
          allowedOrigins: ['*'],
          // Libraries that speak S3 themselves list and abort their parts as well.
          allowedMethods: [
            s3.HttpMethods.GET,
            s3.HttpMethods.PUT,
            s3.HttpMethods.POST,
            s3.HttpMethods.DELETE,
          ],
          allowedHeaders: ['*'],
          exposedHeaders: ['ETag', 'Location'], // uploaders complete a multipart upload with the ETags of its parts
          maxAge: 3000,
        },
      ],
      lifecycleRules: [
        // Uploaders leave uploads open when they give up; a few days is how long one may be resumed.
        { abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOAD_DAYS) },
        ...(expireSourcesAfter ? [{ expiration: expireSourcesAfter }] : []),
      ],
    });
    this.media = privateBucket(this, 'Media', {
      removalPolicy,
      // For players that send headers of their own (CMCD, say) and so ask first. Only through the CDN: nobody else
      // reads this bucket.
      cors: [
        {
          allowedOrigins: ['*'],
          allowedMethods: [s3.HttpMethods.GET, s3.HttpMethods.HEAD],
          allowedHeaders: ['*'],
          maxAge: PREFLIGHT_SECONDS,
        },
      ],
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOAD_DAYS) }],
    });
  }
}

/** A bucket as all of ours are: nothing in it is public, nothing leaves it in the clear. */
export function privateBucket(
  scope: Construct,
  id: string,
  props: s3.BucketProps & { removalPolicy: RemovalPolicy },
): s3.Bucket {
  const bucket = new s3.Bucket(scope, id, {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    encryption: s3.BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    autoDeleteObjects: props.removalPolicy === RemovalPolicy.DESTROY, // a bucket with objects cannot be removed
    ...props,
  });
  acknowledge(bucket, {
    'AwsSolutions-S1':
      "Who wrote and read is told by the API's and the functions' logs; nobody else can. A log of every segment read would cost more than storing it.",
  });
  return bucket;
}

export interface ObjectAccess {
  read?: readonly string[];
  write?: readonly string[];
  delete?: readonly string[];
  /** Give up objects that were begun piece by piece; whoever may write may begin and complete them. */
  abort?: readonly string[];
  /** Tell of objects that others send piece by piece: which there are, and what has come of them. */
  parts?: readonly string[];
  /** Needed to tell a missing object from a forbidden one: without it S3 answers 403 for both. */
  list?: boolean;
}

/** Lets a function do this with these keys and nothing else. CDK's own grants are for whole buckets, and for more verbs. */
export function allow(fn: lambda.Function, bucket: s3.Bucket, access: ObjectAccess): void {
  const statement = (action: string, resources: string[]): void => {
    if (resources.length > 0) fn.addToRolePolicy(new iam.PolicyStatement({ actions: [action], resources }));
  };
  const onKeys = (action: string, patterns: readonly string[] = []): void => {
    statement(
      action,
      patterns.map((pattern) => bucket.arnForObjects(pattern)),
    );
    acknowledge(
      fn.role!,
      wildcards(
        patterns.map((pattern) => `Resource::<${logicalId(bucket)}.Arn>/${pattern}`),
        'Any video, as one function serves them all; of its keys only this kind.',
      ),
    );
  };
  onKeys('s3:GetObject', access.read);
  onKeys('s3:PutObject', access.write);
  onKeys('s3:DeleteObject', access.delete);
  onKeys('s3:AbortMultipartUpload', access.abort);
  onKeys('s3:ListMultipartUploadParts', access.parts);
  statement('s3:ListBucketMultipartUploads', access.parts ? [bucket.bucketArn] : []);
  statement('s3:ListBucket', access.list ? [bucket.bucketArn] : []);
}
