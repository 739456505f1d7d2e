import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FFMPEG_PACKAGES, unpackFfmpeg } from '../../lib/ffmpeg-packages.ts';
import type { FfmpegPackage } from '../../lib/ffmpeg-packages.ts';
import { temporaryDirectory } from '../support/media.ts';

const PACKAGE: FfmpegPackage = {
  binary: 'ffprobe',
  name: '@an-installer/linux-x64',
  version: '1.2.3',
  integrity: '',
};

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let out: string;
let cacheDirectory: string;
let pinned: FfmpegPackage;

beforeEach(async () => {
  directory = await temporaryDirectory();
  [out, cacheDirectory] = [join(directory.path, 'out'), join(directory.path, 'cache')];
  mkdirSync(join(directory.path, 'package'));
  writeFileSync(join(directory.path, 'package', 'ffprobe'), 'a binary', { mode: 0o644 });
  execFileSync('tar', ['-czf', join(directory.path, 'made.tgz'), '-C', directory.path, 'package']);
  const digest = createHash('sha512')
    .update(readFileSync(join(directory.path, 'made.tgz')))
    .digest('base64');
  pinned = { ...PACKAGE, integrity: `sha512-${digest}` };
});

afterEach(() => directory.remove());

const download = (_spec: string, to: string): void =>
  copyFileSync(join(directory.path, 'made.tgz'), join(to, 'any-name.tgz'));
const noNetwork = (): void => {
  throw new Error('no network');
};

test('a package with other bytes than those pinned is refused, and not kept', () => {
  const other = { ...PACKAGE, integrity: 'sha512-of+something+else' };
  expect(() => unpackFfmpeg([other], out, { cacheDirectory, download })).toThrow(
    '@an-installer/linux-x64@1.2.3 has the integrity sha512-',
  );
  expect(readdirSync(cacheDirectory)).toEqual([]);
});

test('the binary is unpacked to be run, whatever its mode in the package', () => {
  unpackFfmpeg([pinned], out, { cacheDirectory, download });
  expect(readFileSync(join(out, 'ffprobe'), 'utf8')).toBe('a binary');
  expect(statSync(join(out, 'ffprobe')).mode & 0o777).toBe(0o755);
});

test('what was fetched once needs no network; what was damaged since is fetched anew', () => {
  unpackFfmpeg([pinned], out, { cacheDirectory, download });
  unpackFfmpeg([pinned], out, { cacheDirectory, download: noNetwork });
  writeFileSync(join(cacheDirectory, 'an-installer-linux-x64-1.2.3.tgz'), 'damaged');
  expect(() => unpackFfmpeg([pinned], out, { cacheDirectory, download: noNetwork })).toThrow('no network');
  unpackFfmpeg([pinned], out, { cacheDirectory, download });
});

test('both architectures have both binaries, each pinned', () => {
  for (const packages of Object.values(FFMPEG_PACKAGES)) {
    expect(packages.map(({ binary }) => binary)).toEqual(['ffmpeg', 'ffprobe']);
    for (const { integrity, version } of packages) {
      expect(integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
  }
});
