// A program of its own, started by the tests: synthesises variants of the stack, one after another in one process, as
// loading CDK takes longer than using it. Code and layers are bundled only where that is asked for.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { InstantHlsStack } from '../../../lib/instant-hls-stack.ts';
import { VideoPipeline } from '../../../lib/video-pipeline.ts';
import { courseApp } from '../../../examples/course-app.ts';

export interface Variant {
  name: string;
  app: 'instant-hls' | 'example' | 'construct';
  /** Of the construct alone, where settings cannot say it. */
  revisionGraceHours?: number;
  context?: Record<string, unknown>;
  /** Of the stack; otherwise it does not say. */
  region?: string;
  nag?: boolean;
  /** With the functions' code and the layer's binaries in the assembly. */
  bundle?: boolean;
  /** Adds what cdk-nag must object to. */
  fault?: boolean;
}

const [outDirectory = '', variants = '[]'] = process.argv.slice(2);
const root = join(import.meta.dirname, '..', '..', '..');
const { context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: object };

const page = join(outDirectory, 'page');
mkdirSync(join(page, 'assets'), { recursive: true });
writeFileSync(join(page, 'index.html'), '<!doctype html>');

for (const variant of JSON.parse(variants) as Variant[]) synthesise(variant);

/** Leaves an assembly in a folder with the variant's name, or what was thrown as `error.txt`. */
function synthesise(variant: Variant): void {
  const { name, app: kind, context, region, nag, fault, bundle, revisionGraceHours = 1 } = variant;
  const outdir = join(outDirectory, name);
  mkdirSync(outdir, { recursive: true });
  try {
    const app = new App({
      outdir,
      context: {
        ...flags,
        'aws:cdk:bundling-stacks': bundle ? ['**'] : [],
        'aws:cdk:disable-asset-staging': true,
        ...context,
      },
      analyticsReporting: false,
    });
    if (kind === 'example') courseApp(app);
    else if (kind === 'construct') {
      new VideoPipeline(new Stack(app, 'Own'), 'Video', {
        revisionGrace: Duration.hours(revisionGraceHours),
      });
    } else {
      const stack = new InstantHlsStack(app, 'InstantHls', { page, ...(region && { env: { region } }) });
      if (fault) new Queue(stack, 'QueueWithoutTls');
    }
    if (nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
  } catch (error) {
    writeFileSync(join(outdir, 'error.txt'), (error as Error).message);
  }
}
