// The code of a function: its entry and all that the entry uses as one file, built by esbuild while the app is
// synthesised. No Docker, and what lies in the assembly is what runs.

import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import type { Metafile } from 'esbuild';

const PACKAGE_ROOT = join(import.meta.dirname, '..');

/** @param entry path of a module that exports `handler`, from the root of this package */
export function bundled(entry: string): lambda.Code {
  return lambda.Code.fromAsset(join(PACKAGE_ROOT, entry, '..'), {
    assetHashType: AssetHashType.OUTPUT, // of the bundle: a change in a module it does not use is no new version
    bundling: {
      image: NO_DOCKER,
      command: [entry], // bundlings of one folder that look alike to CDK are done once for all of them
      local: {
        tryBundle(outputDirectory) {
          bundle(entry, outputDirectory);
          return true;
        },
      },
    },
  });
}

/** CDK asks for an image even where it is never run. */
export const NO_DOCKER = DockerImage.fromRegistry('docker-is-not-used');

/** @returns what the bundle is made of */
export function bundle(entry: string, outputDirectory: string): Metafile {
  return buildSync({
    entryPoints: [join(PACKAGE_ROOT, entry)],
    outfile: join(outputDirectory, 'index.mjs'),
    absWorkingDir: PACKAGE_ROOT,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // The SDK too: with its ES modules esbuild leaves out what is not used, and the version tested is the one deployed.
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': './lib/environment-credentials.lambda.ts' },
    // CommonJS packages inside an ES module still call require().
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    // Read only when a stack trace is printed, by --enable-source-maps.
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    metafile: true,
  }).metafile;
}
