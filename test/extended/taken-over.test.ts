// A decoder that is taken over reaches the video it came with, and nothing else: in the place of ffmpeg, under the functions
// as they are deployed, runs what an attacker would. What only a real account can show is in docs/operations.md.

import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { sourceKey } from '../../core/artifacts/keys.ts';
import { openAccount } from '../support/account/account.ts';
import type { Account } from '../support/account/account.ts';
import type { Loot, Prey } from '../support/account/attacker.ts';
import { filmOf, videosIn } from '../support/account/videos.ts';
import { temporaryDirectory } from '../support/media.ts';
import { ROOT } from '../lib/support/variants.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let account: Account;
let videos: ReturnType<typeof videosIn>;
let victim: { id: string; artifact: string; bytes: Buffer };
const left: number[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  account = await openAccount(directory.path);
  videos = videosIn(account);
  const clip = await filmOf(6, directory.path);
  const video = await videos.uploaded(clip);
  await videos.prewarmed();
  const stored = await videos.stored('media', `v/${video.id}/`);
  const [artifact, bytes] = [...stored].find(([key]) => key.endsWith('.ts'))!;
  victim = { id: video.id, artifact, bytes };
});
afterAll(async () => {
  for (const pid of left) kill(pid);
  await account?.close();
  await directory.remove();
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Part of the command of an encoder: of one that somebody waits for, or that works ahead of time. */
const ENCODERS = { sandbox: '-filter_complex', prewarmSandbox: '/360p/*/234p/' } as const;

/** @param onlyIf what the shell has to find true for an attack */
async function deployAttack(
  where: keyof typeof ENCODERS,
  lootPath: string,
  leftName: string,
  onlyIf: string,
): Promise<void> {
  const prey: Prey = {
    buckets: account.buckets,
    source: sourceKey(victim.id),
    artifact: victim.artifact,
    functionName: account.functions.api.name,
    stateMachineArn: account.stateMachineArn,
  };
  const preyPath = join(directory.path, 'prey.json');
  await writeFile(preyPath, JSON.stringify(prey));
  await account.deployLayer(async (bin) => {
    await rename(join(bin, 'ffmpeg'), join(bin, 'real-ffmpeg'));
    const attacker = `'${process.execPath}' --disable-warning=ExperimentalWarning '${ROOT}/test/support/account/attacker.ts'`;
    const attack = `${attacker} "${lootPath}" "$(cat '${preyPath}')" "${leftName}" >"${lootPath}.log" 2>&1`;
    const script = `#!/bin/sh\ncase "$*" in *${ENCODERS[where]}*) if ${onlyIf}; then ${attack}; fi;; esac\nexec '${bin}/real-ffmpeg' "$@"\n`;
    await writeFile(join(bin, 'ffmpeg'), script, { mode: 0o755 });
  });
}

/** Uploads a video and has it made, with an attacker in the place of an encoder. */
async function takenOver(name: string, where: keyof typeof ENCODERS): Promise<{ id: string; loot: Loot }> {
  const lootPath = join(directory.path, `loot of ${name}.json`);
  await deployAttack(where, lootPath, `left by ${name}`, `[ ! -e '${lootPath}' ]`);
  const video = await videos.uploaded(await filmOf(6, directory.path));
  await account.prewarmed();
  const loot = JSON.parse(
    await readFile(lootPath, 'utf8').catch(async () => {
      throw new Error(await readFile(`${lootPath}.log`, 'utf8'));
    }),
  ) as Loot;
  left.push(loot.leftProcess);
  return { id: video.id, loot };
}

test.each([
  ['sandbox', ['source']],
  ['prewarmSandbox', ['source', 'artifact']],
] as const)('in %s it gets what it came with, and nothing of another video', async (where, kinds) => {
  const { id, loot } = await takenOver(`the first in ${where}`, where);
  console.log(`What a decoder that was taken over in ${where} got:\n${JSON.stringify(loot, null, 2)}`);

  // ffmpeg is given no environment of ours.
  expect(loot.ownEnvironment.filter((name) => name.startsWith('AWS_'))).toEqual([]);
  // That of the function it can read, as it runs as the same user. It names no bucket.
  expect(loot.functionEnvironment).not.toContain('UPLOADS_BUCKET');
  expect(loot.functionEnvironment).not.toContain('MEDIA_BUCKET');

  const { buckets } = account;
  const own = [`/${buckets.uploads}/${sourceKey(id)}`, `/${buckets.media}/v/${id}/`];
  expect(loot.links.filter((path) => !own.some((prefix) => path.startsWith(prefix)))).toEqual([]);

  const {
    'source link: read its own source': ownSource,
    'loopback: what the function listens for, without its path': rangeServer,
    ...others
  } = loot.tried;
  expect(ownSource).toBe(200);
  expect(rangeServer).toBe(404);
  const REFUSED = [403, 'AccessDenied', 'AccessDeniedException'];
  expect(Object.entries(others).filter(([, came]) => !REFUSED.includes(came as never))).toEqual([]);
  for (const kind of kinds) {
    const tried = Object.keys(others).filter((each) => each.startsWith(`${kind} link: `));
    expect(tried).toHaveLength(4);
  }

  const stored = await videos.stored('media', `v/${victim.id}/`);
  expect(stored.get(victim.artifact)!.equals(victim.bytes)).toBe(true);
});

test('the next video does not meet it', async () => {
  // One deployment, and two videos that are made one after the other.
  const loots = join(directory.path, 'loots');
  await mkdir(loots);
  await deployAttack('sandbox', `${loots}/$$.json`, 'left by $$', 'true');
  const ids: string[] = [];
  for (const seconds of [6, 7]) {
    const video = await videos.uploaded(await filmOf(seconds, directory.path));
    ids.push(video.id);
  }
  const all = await Promise.all(
    (await readdir(loots))
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => ({
        left: `left by ${name.replace('.json', '')}`,
        ...(JSON.parse(await readFile(join(loots, name), 'utf8')) as Loot),
      })),
  );
  left.push(...all.map(({ leftProcess }) => leftProcess));
  const [first, second] = ids.map((id) => all.filter(({ links }) => links.some((link) => link.includes(id))));
  expect(first!.length).toBeGreaterThan(0);
  expect(second!.length).toBeGreaterThan(0);
  expect(all).toHaveLength(first!.length + second!.length);
  const pids = first!.map(({ functionPid }) => functionPid);
  expect(second!.filter(({ functionPid }) => pids.includes(functionPid))).toEqual([]);
  const leftBehind = first!.map((loot) => loot.left);
  expect(second!.flatMap(({ found }) => found.filter((name) => leftBehind.includes(name)))).toEqual([]);
});
