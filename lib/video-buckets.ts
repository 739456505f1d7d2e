// The two buckets that are the pipeline's only state: `uploads` holds what people sent, `media` all that follows from
// it. Neither is versioned: a source's key is given out once and cannot be overwritten, an artifact is written once
// and can be made again, and what a person deletes must be gone.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

export interface VideoBucketsProps {
  removalPolicy: RemovalPolicy;
  expireSourcesAfter?: Duration | undefined;
}

export class VideoBuckets extends Construct {
  readonly uploads: s3.Bucket;
  readonly media: s3.Bucket;

  constructor(scope: Construct, id: string, { removalPolicy, expireSourcesAfter }: VideoBucketsProps) {
    super(scope, id);
    this.uploads = new s3.Bucket(this, 'Uploads', {
      ...privateBucket(removalPolicy),
      cors: [
        {
          // The presigned URL is the authority. The page's own origin cannot stand here: the CDN's domain depends on
          // the functions, and they on this bucket.
          allowedOrigins: ['*'],
          allowedMethods: [s3.HttpMethods.PUT, s3.HttpMethods.POST],
          allowedHeaders: ['*'],
          exposedHeaders: ['ETag', 'Location'], // uploaders complete a multipart upload with the ETags of its parts
          maxAge: 3000,
        },
      ],
      lifecycleRules: [
        // Uploaders leave uploads open when they give up; a few days is how long one may be resumed.
        { abortIncompleteMultipartUploadAfter: Duration.days(3) },
        ...(expireSourcesAfter ? [{ expiration: expireSourcesAfter }] : []),
      ],
    });
    this.media = new s3.Bucket(this, 'Media', {
      ...privateBucket(removalPolicy),
      // For players that send headers of their own (CMCD, say) and so ask first. Only through the CDN: nobody else
      // reads this bucket.
      cors: [
        {
          allowedOrigins: ['*'],
          allowedMethods: [s3.HttpMethods.GET, s3.HttpMethods.HEAD],
          allowedHeaders: ['*'],
          maxAge: 86_400,
        },
      ],
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(3) }],
    });
  }
}

/** What holds for every bucket of ours. */
export const privateBucket = (removalPolicy: RemovalPolicy): s3.BucketProps => ({
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  encryption: s3.BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy,
  autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY, // else the bucket could not be removed
});

export interface ObjectAccess {
  read?: readonly string[];
  write?: readonly string[];
  delete?: readonly string[];
  /** Needed to tell a missing object from a forbidden one: without it S3 answers 403 for both. */
  list?: boolean;
}

/** Lets a function do this with these keys and nothing else. CDK's own grants are for whole buckets, and for more verbs. */
export function allow(fn: lambda.Function, bucket: s3.Bucket, access: ObjectAccess): void {
  const keys = (patterns: readonly string[] = []) => patterns.map((pattern) => bucket.arnForObjects(pattern));
  const statements = [
    { actions: ['s3:GetObject'], resources: keys(access.read) },
    { actions: ['s3:PutObject'], resources: keys(access.write) },
    { actions: ['s3:DeleteObject'], resources: keys(access.delete) },
    { actions: ['s3:ListBucket'], resources: access.list ? [bucket.bucketArn] : [] },
  ];
  for (const statement of statements) {
    if (statement.resources.length > 0) fn.addToRolePolicy(new iam.PolicyStatement(statement));
  }
}
