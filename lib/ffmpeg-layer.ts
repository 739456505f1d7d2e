// ffmpeg and ffprobe for the functions' architecture, as a layer, on any developer machine and without Docker.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { NO_DOCKER } from './bundle.ts';
import { FFMPEG_PACKAGES, unpackFfmpeg } from './ffmpeg-packages.ts';

/** Binaries of one's own: a folder with `bin/ffmpeg` and `bin/ffprobe`, or a layer that unpacks to these. */
export type OwnFfmpeg = { directory: string } | { layerArn: string };

/** Where the layer puts them. */
export const FFMPEG_PATH = '/opt/bin/ffmpeg';
export const FFPROBE_PATH = '/opt/bin/ffprobe';

// CDK's own hash of the files would miss a change of their modes. Raise this when what is written below changes.
const LAYOUT = 1;

export function ffmpegLayer(
  scope: Construct,
  id: string,
  { architecture, own }: { architecture: lambda.Architecture; own?: OwnFfmpeg | undefined },
): lambda.ILayerVersion {
  if (own && 'layerArn' in own) return lambda.LayerVersion.fromLayerVersionArn(scope, id, own.layerArn);
  return new lambda.LayerVersion(scope, id, {
    compatibleArchitectures: [architecture],
    ...(own
      ? { code: ownDirectory(own.directory), description: 'ffmpeg and ffprobe, brought along' }
      : {
          code: npmBinaries(architecture),
          description: 'ffmpeg and ffprobe, separate programs under the GPL, version 3',
          license: 'GPL-3.0',
        }),
  });
}

function ownDirectory(directory: string): lambda.Code {
  for (const binary of ['ffmpeg', 'ffprobe']) {
    const path = join(directory, 'bin', binary);
    if (!existsSync(path)) throw new Error(`The layer with ffmpeg needs ${path}, which is not there.`);
  }
  return lambda.Code.fromAsset(directory);
}

function npmBinaries(architecture: lambda.Architecture): lambda.Code {
  const packages = FFMPEG_PACKAGES[architecture.name]!;
  const assetHash = createHash('sha256')
    .update(JSON.stringify([LAYOUT, packages]))
    .digest('hex');
  return lambda.Code.fromAsset(import.meta.dirname, {
    assetHash,
    bundling: {
      image: NO_DOCKER,
      local: {
        tryBundle(outputDirectory) {
          unpackFfmpeg(packages, join(outputDirectory, 'bin'));
          return true;
        },
      },
    },
  });
}
