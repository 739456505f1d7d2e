// The builds of ffmpeg and ffprobe that npm has, by the architecture of the Lambda. The npm wrappers install the binary of
// the machine that runs npm, so the platform's packages are fetched by name; each is checked against the integrity
// written here and kept, so that later runs need no network.

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

/** Puts the tarball of a package into a folder, under whatever name. */
export type Download = (spec: string, directory: string) => void;

/** Puts the packages' binaries into a folder. Needs the network for what was never fetched before. */
export function unpackFfmpeg(
  packages: readonly FfmpegPackage[],
  directory: string,
  {
    cacheDirectory = CACHE_DIRECTORY,
    download = npmPack,
  }: { cacheDirectory?: string; download?: Download } = {},
): void {
  mkdirSync(directory, { recursive: true });
  for (const { binary, ...wanted } of packages) {
    // Every platform that runs npm has a tar, Windows included.
    const tarball = fetched(wanted, cacheDirectory, download);
    execFileSync('tar', ['-xzf', tarball, '-C', directory, '--strip-components=1', `package/${binary}`]);
    chmodSync(join(directory, binary), 0o755); // ffprobe's mode in its tarball is 0644
  }
}

/** @returns the path of the tarball, whose bytes are those that were pinned */
function fetched(wanted: Omit<FfmpegPackage, 'binary'>, cacheDirectory: string, download: Download): string {
  const spec = `${wanted.name}@${wanted.version}`;
  const path = join(cacheDirectory, `${spec.replaceAll(/[@/]/g, '-').slice(1)}.tgz`);
  if (existsSync(path) && integrityOf(path) === wanted.integrity) return path;
  mkdirSync(cacheDirectory, { recursive: true });
  // On the cache's file system and renamed at the end: who runs at the same time sees a whole file or none.
  const directory = mkdtempSync(join(cacheDirectory, 'download-'));
  try {
    download(spec, directory);
    const tarball = join(
      directory,
      readdirSync(directory).find((file) => file.endsWith('.tgz'))!,
    );
    const found = integrityOf(tarball);
    if (found !== wanted.integrity) {
      throw new Error(`${spec} has the integrity ${found}, pinned is ${wanted.integrity}.`);
    }
    renameSync(tarball, path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
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
