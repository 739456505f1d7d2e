// The page's files in a bucket of their own.

import { readdirSync } from 'node:fs';
import { RemovalPolicy, Size } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as deployment from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { LOG_RETENTION } from './pipeline-function.ts';
import { privateBucket } from './video-buckets.ts';

export class Page extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...privateBucket(RemovalPolicy.DESTROY), // a build can be made again
      autoDeleteObjects: false, // the deployment below empties it, without one more function
    });
  }

  /** @param directory the built page, with an index.html */
  deploy(directory: string, distribution: cloudfront.Distribution): void {
    new deployment.BucketDeployment(this, 'Files', {
      sources: [deployment.Source.asset(directory)],
      destinationBucket: this.bucket,
      // Browsers ask whether there is something new, the edge keeps what it has until it is told otherwise: by this
      // deployment, for the page's paths alone, as the videos' cached segments are worth keeping.
      cacheControl: [
        deployment.CacheControl.fromString('public, max-age=0, s-maxage=31536000, must-revalidate'),
      ],
      distribution,
      distributionPaths: pathsOf(directory),
      prune: true,
      retainOnDelete: false,
      memoryLimit: 256,
      ephemeralStorageSize: Size.mebibytes(512),
      logGroup: new logs.LogGroup(this, 'Log', {
        retention: LOG_RETENTION,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    });
  }
}

const pathsOf = (directory: string): string[] => [
  '/',
  ...readdirSync(directory, { withFileTypes: true }).map((entry) =>
    entry.isDirectory() ? `/${entry.name}/*` : `/${entry.name}`,
  ),
];
