// The CDK app. Its settings are context values, see docs/operations.md.

import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { InstantHlsStack } from '../lib/instant-hls-stack.ts';
import { buildPage } from '../web/build.ts';

const page = join(import.meta.dirname, '..', '.cache', 'page');
await buildPage(page);

const app = new App();
new InstantHlsStack(app, (app.node.tryGetContext('stackName') as string | undefined) ?? 'InstantHls', {
  page,
});
