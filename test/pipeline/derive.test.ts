// A video from its upload to ready and to its deletion, with a bucket in memory and real ffmpeg.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from '../../core/errors.ts';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import {
  cardKey,
  errorKey,
  mezzanineKey,
  mezzanineRecordKey,
  newVideoId,
  parseRevisionRecord,
  planKey,
  readyKey,
  revisionsKey,
  sourceKey,
} from '../../core/artifacts/keys.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import { PLAN } from '../../core/records/plan.ts';
import { REVISIONS } from '../../core/records/revisions.ts';
import { segmentCount } from '../../core/plan/grid.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { workFor } from '../../core/work/work.ts';
import { derive, deriveWork } from '../../pipeline/derive/derive.ts';
import { finish } from '../../pipeline/life/finish.ts';
import { currentPlan, refuse, restoreCopy } from '../../pipeline/life/planning.ts';
import { onlyRevision } from '../../pipeline/revisions/revisions.ts';
import { createRecord, readRecord, updateRecord } from '../../pipeline/store.ts';
import { putCard } from '../support/life.ts';
import { cleanedUp, removeVideo } from '../support/janitor.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { worldIn } from '../support/world.ts';

const json = { contentType: 'application/json' };
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clip: Uint8Array;
/** The same without an index. */
let recording: Uint8Array;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'clip.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=9'];
  const sound = ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=9'];
  await ffmpeg(...picture, ...sound, '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path);
  clip = await readFile(path);
  const recorded = join(directory.path, 'recording.ts');
  await ffmpeg('-i', path, '-c', 'copy', recorded);
  recording = await readFile(recorded);
});
afterAll(() => directory.remove());

async function uploaded(source: Uint8Array | string) {
  const id = newVideoId(new Date());
  const world = worldIn(directory.path);
  await putCard(id, world);
  await world.uploads.put(sourceKey(id), source, json);
  return { id, world };
}

test('a segment asked for twice at once is made once, and stays as it is', async () => {
  const { id, world } = await uploaded(clip);
  const [segment] = segmentsOf(await currentPlan(id, world));
  const [one, two] = await Promise.all([derive(id, segment!, world), derive(id, segment!, world)]);
  expect(two).toBe(one);
  expect(Buffer.compare(await derive(id, segment!, world), one)).toBe(0);
});

test('prewarm keeps what a viewer had made, makes the rest, and finish measures it', async () => {
  const { id, world } = await uploaded(clip);
  const plan = await currentPlan(id, world);
  const second = segmentsOf(plan)[1]!;
  const viewed = await derive(id, second, world);
  await expect(finish(id, plan.rev, world, new Date(0))).rejects.toThrow('is missing');

  for (const work of workFor(id, plan)) await deriveWork(work, world, { background: true });
  await finish(id, plan.rev, world, new Date(0));

  expect(Buffer.compare((await world.media.get(artifactKey(id, second)))!, viewed)).toBe(0);
  expect(world.media.keys()).toContain(readyKey(id, plan.rev));
  expect(Buffer.from(await derive(id, { kind: 'multivariant' }, world)).toString()).toContain(
    'AVERAGE-BANDWIDTH=',
  );
});

test('what the plan does not list is not made', async () => {
  const { id, world } = await uploaded(clip);
  const plan = await currentPlan(id, world);
  const [segment] = segmentsOf(plan);
  const beyond = segmentCount(plan.grid);
  const before = world.media.keys();
  for (const wrong of [
    { ...segment!, index: beyond },
    { ...segment!, rendition: '8k' },
    { ...segment!, rev: '0000000000' },
    { ...segment!, extension: 'aac' as const },
  ]) {
    await expect(derive(id, wrong, world)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(world.media.keys()).toEqual(before);
});

test('what is made of one file is never mixed with what is made of another that took its place', async () => {
  const { id, world } = await uploaded(clip);
  const [first, ...rest] = segmentsOf(await currentPlan(id, world));
  const made = await derive(id, first!, world);
  await world.uploads.put(sourceKey(id), Buffer.concat([clip, Buffer.alloc(1)]), json);
  await expect(derive(id, rest.at(-1)!, world)).rejects.toMatchObject({ code: 'SOURCE_REPLACED' });
  expect(Buffer.compare(await derive(id, first!, world), made)).toBe(0);
});

test('a copy of a file that was replaced while it was planned goes, and never takes the place of the other', async () => {
  const { id, world } = await uploaded(recording);
  const { media } = world;
  const other = Buffer.concat([recording, Buffer.alloc(188)]);
  const etag = createHash('md5').update(other).digest('hex');
  const theirs = mezzanineKey(id, etag);
  const rev = 'aaaaaaaaaa';
  const put: typeof media.put = async (key, body, options) => {
    if (key === revisionsKey(id) && !media.keys().includes(theirs)) {
      const [ours] = media.keys().filter((stored) => parseRevisionRecord(stored)?.kind === 'plan');
      const plan = (await readRecord(media, PLAN, ours!))!;
      const source = { ...plan.source, etag, key: theirs };
      await world.uploads.put(sourceKey(id), other, json);
      await media.put(theirs, 'their copy', json);
      await createRecord(media, PLAN, planKey(id, rev), { ...plan, rev, source });
      await createRecord(media, REVISIONS, revisionsKey(id), onlyRevision(rev));
    }
    return media.put(key, body, options);
  };
  expect(await currentPlan(id, { ...world, media: { ...media, put } })).toMatchObject({ rev });
  await cleanedUp(world);
  expect(media.keys().filter((key) => parseRevisionRecord(key)?.kind === 'plan')).toEqual([planKey(id, rev)]);
  expect(media.keys().filter((key) => key.startsWith('mezzanine/'))).toEqual([theirs]);
  expect(String(await media.get(theirs))).toBe('their copy');
});

test('a copy that is lost is made again in the way in which it was made, whatever way would be best now', async () => {
  const { id, world } = await uploaded(recording);
  const { media } = world;
  const plan = await currentPlan(id, world);
  const recordKey = mezzanineRecordKey(id, plan.source.etag!);
  const copied = { reading: 'as it is', picture: 'copy', sound: 'flac' } as const;
  expect(await readRecord(media, MEZZANINE, recordKey)).toMatchObject({ way: copied });
  const way = { ...copied, picture: 'lossless' } as const;
  await updateRecord(media, MEZZANINE, recordKey, (before) => ({ ...before!, way }));
  await media.delete([plan.source.key!]);
  await restoreCopy(id, plan, world);
  const made = (await readRecord(media, MEZZANINE, recordKey))!;
  expect(made.way).toEqual(way);
  expect((await media.head(plan.source.key!))?.sizeBytes).toBe(made.sizeBytes);
  expect(made.sizeBytes).toBeGreaterThan(plan.source.sizeBytes);
});

test('of a source that is refused late nothing stays that was made of it, and the reason does', async () => {
  const { id, world } = await uploaded(recording);
  const [first] = segmentsOf(await currentPlan(id, world));
  await derive(id, first!, world);
  expect(world.media.keys().some((key) => key.startsWith('mezzanine/'))).toBe(true);
  for (let twice = 0; twice < 2; twice += 1) await refuse(id, new SourceError('DAMAGED'), world);
  await expect(currentPlan(id, world)).rejects.toMatchObject({ code: 'DAMAGED' });
  await cleanedUp(world);
  expect(world.media.keys()).toEqual([errorKey(id), cardKey(id)]);
});

test('a file that comes after its video was deleted does not stay', async () => {
  const { id, world } = await uploaded(clip);
  await removeVideo(id, world);
  await world.uploads.put(sourceKey(id), clip, json);
  await expect(currentPlan(id, world)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await cleanedUp(world);
  expect(world.uploads.keys()).toEqual([]);
});

test('a file above what its upload allowed is refused, and not kept', async () => {
  const { id, world } = await uploaded(clip);
  await putCard(id, world, { maxBytes: clip.length - 1 });
  await expect(currentPlan(id, world)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  await cleanedUp(world);
  expect(world.uploads.keys()).toEqual([]);
});

test.each([
  ['a film', () => clip],
  ['a recording without an index', () => recording],
])('%s leaves nothing when it is deleted, even where a segment was under way', async (_, source) => {
  const { id, world } = await uploaded(source());
  const segment = segmentsOf(await currentPlan(id, world)).at(-1)!;
  const underWay = derive(id, segment, world).catch((error: { code: string }) => error.code);
  await removeVideo(id, world);
  await underWay;
  await cleanedUp(world);
  expect([...world.media.keys(), ...world.uploads.keys()]).toEqual([]);
});

test.each([
  ['an empty file', () => '', 'EMPTY_FILE'],
  ['a text file', () => 'version https://example.com/spec/v1\nsize 12\n'.repeat(100), 'NOT_MEDIA'],
  ['a recording without its index', () => clip.subarray(0, 2000), 'CUT_OFF'],
  [
    'a playlist posing as a video',
    () => '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n',
    'NOT_MEDIA',
  ],
])('%s is refused with its code, now and later', async (_, source, code) => {
  const { id, world } = await uploaded(source());
  await expect(derive(id, { kind: 'multivariant' }, world)).rejects.toMatchObject({ code });
  await expect(currentPlan(id, world)).rejects.toMatchObject({ code });
});
