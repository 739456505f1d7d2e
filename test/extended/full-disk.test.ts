// The whole system on a disk that is full to the last byte. Where no small file system can be mounted, what the system
// does when its store says that it is full is tested by test/extended/outages.test.ts, and when the store says so by
// test/local/full-disk.test.ts.

import { join } from 'node:path';
import { bytesAt, renditionsAt } from '../support/hls.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { tmpfsDisk, tmpfsRefusal } from '../support/small-disks.ts';
import type { SmallDisk } from '../support/small-disks.ts';
import { deleteVideo, startSystem, statusOf, untilStatus, uploadFile } from '../support/system.ts';
import type { System } from '../support/system.ts';

const SIZE_BYTES = 160 * 1024 * 1024;
const refusal = tmpfsRefusal();
const testOnDisk = refusal === undefined ? test : test.skip;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let disk: SmallDisk | undefined;
let data: string;
let film: string;
let system: System | undefined;

beforeAll(async () => {
  directory = await temporaryDirectory();
  if (refusal !== undefined) return;
  disk = tmpfsDisk(SIZE_BYTES);
  data = join(disk.directory, 'data');
  film = join(directory.path, 'film.mp4');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=30', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=30'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', film],
  );
});
afterAll(async () => {
  await system?.stop();
  disk?.remove();
  await directory.remove();
});

testOnDisk(
  'uploads are told so, what can be made is shown, deletion works, and what waited goes on by itself',
  async () => {
    system = await startSystem(data, { PREWARM: 'lowest' });
    const old = await uploadFile(system, film);
    await untilStatus(old, ({ state }) => state === 'ready');
    await system.stop();
    system = await startSystem(data);
    const moved = ({ id }: { id: string }) => ({
      playbackUrl: `${system!.baseUrl}/v/${id}/master.m3u8`,
      statusUrl: `${system!.baseUrl}/api/videos/${id}`,
    });
    const watched = { ...old, ...moved(old) };
    const renditions = await renditionsAt(watched.playbackUrl);
    const late = await uploadFile(system, film);
    await untilStatus(late, ({ playable }) => playable);
    disk!.fill();

    // What was never encoded is, for as long as somebody watches.
    for (const [name, { segments }] of renditions) {
      for (const { url } of segments.slice(3, 5))
        expect([name, (await bytesAt(url)).length > 0]).toEqual([name, true]);
    }
    await expect(uploadFile(system, film)).rejects.toThrow(/507.*STORAGE_FULL/s);
    const waiting = await statusOf(late);
    expect(['processing', 'ready']).toContain(waiting.state);
    expect(waiting.error).toBeUndefined();

    // Space can be freed through the product, and what waited for it goes on.
    expect((await deleteVideo(system, watched)).status).toBe(204);
    expect((await fetch(watched.statusUrl)).status).toBe(404);
    disk!.unfill();
    expect(await untilStatus(late, ({ state }) => state === 'ready')).toMatchObject({ progress: 1 });
    const again = await uploadFile(system, film);
    await untilStatus(again, ({ state }) => state === 'ready');
  },
);

testOnDisk('the server starts on a full disk, and shows what is there', async () => {
  const before = await uploadFile(system!, film);
  await untilStatus(before, ({ state }) => state === 'ready');
  await system!.stop();
  disk!.fill();
  system = await startSystem(data);
  const { segments } = (await renditionsAt(`${system.baseUrl}/v/${before.id}/master.m3u8`)).get('240p')!;
  expect((await bytesAt(segments[7]!.url)).length).toBeGreaterThan(0);
  expect((await deleteVideo(system, before)).status).toBe(204);
  disk!.unfill();
});
