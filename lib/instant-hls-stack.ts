// The stack that `npx cdk deploy` deploys: the pipeline, the page, and what a person wants to know at the end.

import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { settingsOf } from './settings.ts';
import { VideoPipeline } from './video-pipeline.ts';

export interface InstantHlsStackProps extends StackProps {
  /** A folder with the built page. */
  page: string;
}

export class InstantHlsStack extends Stack {
  readonly video: VideoPipeline;

  constructor(scope: Construct, id: string, { page, ...props }: InstantHlsStackProps) {
    super(scope, id, { description: 'Instant HLS: upload, encode and deliver video', ...props });
    this.video = new VideoPipeline(this, 'Video', { ...settingsOf(this), page });

    const { siteUrl, apiUrl, playbackBaseUrl, apiKey, playbackSecret } = this.video;
    this.output('SiteUrl', siteUrl, 'The page');
    this.output('ApiUrl', apiUrl, 'The HTTP API');
    const path = playbackSecret ? '/{token}/{id}/master.m3u8' : '/{id}/master.m3u8';
    this.output('PlaybackBaseUrl', playbackBaseUrl, `Followed by ${path}`);
    if (apiKey) {
      this.output(
        'ApiKeyCommand',
        `aws secretsmanager get-secret-value --region ${this.region} --secret-id ${apiKey.secretArn} --query SecretString --output text`,
        'Prints the API key',
      );
    }
  }

  private output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
