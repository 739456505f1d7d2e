// The page's files in a bucket of their own.

import { join } from 'node:path';
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as deployment from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { IMMUTABLE } from '../core/artifacts/artifacts.ts';
import type { Config } from '../web/api.ts';
import { WRITES_ANY_LOG, acknowledge, logicalId, wildcards } from './acknowledge.ts';
import { LOG_RETENTION } from './pipeline-function.ts';
import { privateBucket } from './video-buckets.ts';

const COPIER =
  "This is CDK's own function that copies a folder into a bucket; it runs during a deployment only.";

export type PageConfig = Pick<Config, 'signIn'>;

/** Filled in for each video by the API (pipeline/http/watch-pages.ts). */
export const VIDEO_PAGES = ['watch.html', 'embed.html'];

export class Page extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bucket = privateBucket(this, 'Bucket', {
      removalPolicy: RemovalPolicy.DESTROY, // a build can be made again
      autoDeleteObjects: false, // the deployments empty it, without one more function
    });
  }

  /** @param directory the built pages: index.html, watch.html, embed.html, and below assets/ files whose names tell their content */
  deploy(directory: string, distribution: cloudfront.Distribution, config: PageConfig): void {
    const common: Omit<deployment.BucketDeploymentProps, 'sources'> = {
      destinationBucket: this.bucket,
      retainOnDelete: false,
      memoryLimit: 256,
      logGroup: new logs.LogGroup(this, 'Log', {
        retention: LOG_RETENTION,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    };
    const assets = new deployment.BucketDeployment(this, 'Assets', {
      ...common,
      sources: [deployment.Source.asset(join(directory, 'assets'))],
      destinationKeyPrefix: 'assets',
      cacheControl: [deployment.CacheControl.fromString(IMMUTABLE)],
      prune: false, // a page that was opened before this deployment may yet ask for the old ones
    });
    const page = new deployment.BucketDeployment(this, 'Index', {
      ...common,
      sources: [
        deployment.Source.asset(directory, { exclude: ['assets'] }),
        deployment.Source.jsonData('config.json', { ...config, testClip: false }),
      ],
      // Browsers ask whether it is new; the edge keeps it until it is told otherwise, here. Only for these paths: the
      // cached segments of videos are worth keeping.
      cacheControl: [
        deployment.CacheControl.fromString('public, max-age=0, s-maxage=31536000, must-revalidate'),
      ],
      distribution,
      distributionPaths: ['/', '/index.html', '/config.json'],
      prune: false, // would take the assets away
    });
    page.node.addDependency(assets); // no page before what it asks for

    const copier = Stack.of(this).node.children.find(({ node }) =>
      node.id.startsWith('Custom::CDKBucketDeployment'),
    );
    acknowledge(copier!, {
      'AwsSolutions-L1': COPIER,
      [WRITES_ANY_LOG]: COPIER,
      ...wildcards(
        [
          ...['GetBucket', 'GetObject', 'List', 'Abort', 'DeleteObject'].map((verb) => `Action::s3:${verb}*`),
          'Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*',
          `Resource::<${logicalId(this.bucket)}.Arn>/*`,
          'Resource::*', // the invalidation of distributions
        ],
        COPIER,
      ),
    });
  }
}
