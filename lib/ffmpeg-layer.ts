// ffmpeg and ffprobe for the functions' architecture, as a layer, on any developer machine and without Docker.
// The npm wrappers install the binary of the machine that runs npm, so the platform's packages are fetched by name;
// each is checked against the integrity written here and kept, so that later runs need no network.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { NO_DOCKER } from './bundle.ts';

/** Binaries of one's own: a folder with `bin/ffmpeg` and `bin/ffprobe`, or a layer that unpacks to these. */
export type OwnFfmpeg = { directory: string } | { layerArn: string };

/** Where the layer puts them. */
export const FFMPEG_PATH = '/opt/bin/ffmpeg';
export const FFPROBE_PATH = '/opt/bin/ffprobe';

export interface FfmpegPackage {
  binary: 'ffmpeg' | 'ffprobe';
  name: string;
  version: string;
  /** As in a lock file: the tarball's SHA-512, base64. */
  integrity: string;
}

export const FFMPEG_PACKAGES: Readonly<Record<string, readonly FfmpegPackage[]>> = {
  x86_64: [
    {
      binary: 'ffmpeg',
      name: '@ffmpeg-installer/linux-x64',
      version: '4.1.0',
      integrity:
        'sha512-Y5BWhGLU/WpQjOArNIgXD3z5mxxdV8c41C+U15nsE5yF8tVcdCGet5zPs5Zy3Ta6bU7haGpIzryutqCGQA/W8A==',
    },
    {
      binary: 'ffprobe',
      name: '@ffprobe-installer/linux-x64',
      version: '5.2.0',
      integrity:
        'sha512-D3UeqTLYPNs7pBWPLUYGehPdRVqU8eACox4OZy3pZUZatxye2YKlvBwEfaLdL1v2Z4FOAlLUhms0kY8m8kqSRA==',
    },
  ],
  arm64: [
    {
      binary: 'ffmpeg',
      name: '@ffmpeg-installer/linux-arm64',
      version: '4.1.4',
      integrity:
        'sha512-dljEqAOD0oIM6O6DxBW9US/FkvqvQwgJ2lGHOwHDDwu/pX8+V0YsDL1xqHbj1DMX/+nP9rxw7G7gcUvGspSoKg==',
    },
    {
      binary: 'ffprobe',
      name: '@ffprobe-installer/linux-arm64',
      version: '5.2.0',
      integrity:
        'sha512-X1VvWtlLs6ScP73biVLuHD5ohKJKsMTa0vafCESOen4mOoNeLAYbxOVxDWAdFz9cpZgRiloFj5QD6nDj8E28yQ==',
    },
  ],
};

const CACHE_DIRECTORY = join(import.meta.dirname, '..', '.cache', 'ffmpeg-packages');

// CDK's own hash of the files would miss a change of their modes. Raise this when what is written below changes.
const LAYOUT = 1;

export function ffmpegLayer(
  scope: Construct,
  id: string,
  { architecture, own }: { architecture: lambda.Architecture; own?: OwnFfmpeg | undefined },
): lambda.ILayerVersion {
  if (own && 'layerArn' in own) return lambda.LayerVersion.fromLayerVersionArn(scope, id, own.layerArn);
  return new lambda.LayerVersion(scope, id, {
    code: own ? ownDirectory(own.directory) : npmBinaries(architecture),
    compatibleArchitectures: [architecture],
    description: 'ffmpeg and ffprobe, separate programs under the GPL, version 3',
    license: 'GPL-3.0',
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

/** Puts the packages' binaries into a folder. Needs the network for what was never fetched before. */
export function unpackFfmpeg(packages: readonly FfmpegPackage[], directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const { binary, ...wanted } of packages) {
    // Every platform that runs npm has a tar, Windows included.
    execFileSync('tar', [
      '-xzf',
      fetched(wanted),
      '-C',
      directory,
      '--strip-components=1',
      `package/${binary}`,
    ]);
    chmodSync(join(directory, binary), 0o755); // ffprobe's mode in its tarball is 0644
  }
}

/** @returns the path of the tarball, whose bytes are those that were pinned */
function fetched(wanted: Omit<FfmpegPackage, 'binary'>): string {
  const name = `${wanted.name.replace('@', '').replace('/', '-')}-${wanted.version}.tgz`;
  const path = join(CACHE_DIRECTORY, name);
  if (!existsSync(path) || integrityOf(path) !== wanted.integrity) {
    mkdirSync(CACHE_DIRECTORY, { recursive: true });
    // On the cache's file system and renamed at the end: who runs at the same time sees a whole file or none.
    const download = mkdtempSync(join(CACHE_DIRECTORY, 'download-'));
    try {
      npmPack(`${wanted.name}@${wanted.version}`, download);
      const tarball = join(
        download,
        readdirSync(download).find((file) => file.endsWith('.tgz'))!,
      );
      const found = integrityOf(tarball);
      if (found !== wanted.integrity) {
        throw new Error(
          `${wanted.name}@${wanted.version} has the integrity ${found}, pinned is ${wanted.integrity}.`,
        );
      }
      renameSync(tarball, path);
    } finally {
      rmSync(download, { recursive: true, force: true });
    }
  }
  return path;
}

function npmPack(spec: string, directory: string): void {
  const windows = process.platform === 'win32'; // where npm is a batch file, which needs a shell
  execFileSync('npm', ['pack', spec, '--pack-destination', directory, '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: windows,
  });
}

const integrityOf = (path: string): string =>
  `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
