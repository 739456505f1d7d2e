// What the edge is told at deploy, by the functions' own code against an edge and a list of videos in memory.

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { cardKey, cleanupKey, newVideoId, tombstoneKey } from '../../core/artifacts/keys.ts';
import { MAX_LISTED_IDS, idsOfVideos, tellEdge } from '../../lib/video-ids.lambda.ts';
import type { KnownIds } from '../../lib/video-ids.lambda.ts';
import { ensureBuckets } from '../../local/buckets.ts';
import { edge } from '../support/edge.ts';
import { temporaryDirectory } from '../support/media.ts';
import { keyring, listenS3 } from '../support/s3-server.ts';

const KEY = 'generated';
const earlier = (): string => newVideoId(new Date());
const keyed = (key = KEY): string => newVideoId(new Date(), key);

/** @param looks the videos that each look finds; the last one's are those of all later ones */
function account(looks: string[][], before: Record<string, string> = {}) {
  const kept = new Map(Object.entries(before));
  /** What the edge held each time that it was told something. */
  const states: Record<string, string>[] = [];
  const note = () => void states.push(Object.fromEntries(kept));
  let look = 0;
  const tell = (known: Partial<KnownIds> = {}) =>
    tellEdge(
      {
        get: async (name) => kept.get(name),
        put: async (name, value) => (kept.set(name, value), note()),
        putAll: async (names, value) => (names.forEach((name) => kept.set(name, value)), note()),
        remove: async (name) => (kept.delete(name), note()),
      },
      {
        key: KEY,
        uncheckedIds: 'listed',
        videos: async function* () {
          yield* looks[Math.min(look++, looks.length - 1)]!;
        },
        ...known,
      },
      0,
    );
  return { tell, states, held: () => Object.fromEntries(kept), looks: () => look };
}

async function plays(id: string, held: Record<string, string>): Promise<boolean> {
  const handler = await edge('video-id', held);
  return !('statusCode' in (await handler({ request: { method: 'GET', uri: `/v/${id}/master.m3u8` } })));
}

test('a new stack checks all ids', async () => {
  const { tell, held } = account([[]]);
  await tell();
  expect(held()).toEqual({ key: KEY });
});

test('an update lists the ids of the videos that there are, and no others; only then ids are checked', async () => {
  const [before, since] = [[earlier(), earlier()], keyed()];
  const { tell, held, states } = account([[...before, since]]);
  await tell();
  expect(held()).toEqual({ key: KEY, [before[0]!]: '1', [before[1]!]: '1' });
  for (const state of states) {
    for (const id of [...before, since]) expect(await plays(id, state)).toBe(true);
  }
  expect(states.filter((state) => 'key' in state)).toHaveLength(1);
  expect(await plays(earlier(), held())).toBe(false);
});

test('what the release before gives out meanwhile is found by another look', async () => {
  const [first, second, third] = [earlier(), earlier(), earlier()];
  const { tell, held, looks } = account([[first], [first, second], [third, first, second]]);
  await tell();
  expect(Object.keys(held()).sort()).toEqual([first, second, third, 'key'].sort());
  expect(looks()).toBe(4); // the last has found nothing new
});

test('where nothing is there yet, one is given time to come', async () => {
  const late = earlier();
  const { tell, held } = account([[], [late]]);
  await tell();
  expect(await plays(late, held())).toBe(true);
});

test('what the edge knows already is not told again: later deployments look for nothing', async () => {
  const { tell, held, looks } = account([[earlier()]], { key: KEY });
  await tell();
  expect(held()).toEqual({ key: KEY });
  expect(looks()).toBe(0);
});

test('an operator has it look again, for videos that were copied into the bucket', async () => {
  const copied = keyed("another stack's");
  const { tell, held } = account([[copied]], { key: KEY });
  await tell({ again: true });
  expect(held()).toEqual({ key: KEY, [copied]: '1' });
});

test('where the key was changed, ids of the former one are listed before the new one is there', async () => {
  const [former, since] = [keyed('former'), keyed()];
  const { tell, held, states } = account([[former, since]], { key: 'former' });
  await tell();
  expect(held()).toEqual({ key: KEY, [former]: '1' });
  for (const state of states) expect(await plays(former, state)).toBe(true);
});

test('a run that was ended anywhere keeps no video from being played, and can be begun again', async () => {
  const ids = [earlier(), earlier()];
  const failing = account([ids]);
  await expect(
    failing.tell({
      videos: async function* () {
        yield ids[0]!;
        throw new Error('S3 is away');
      },
    }),
  ).rejects.toThrow('S3 is away');
  for (const id of ids) expect(await plays(id, failing.held())).toBe(true);
  await failing.tell();
  expect(Object.keys(failing.held()).sort()).toEqual([...ids, 'key'].sort());
});

test('more than fit are refused, before any is told, with what to do', async () => {
  const numbered = (count: number) =>
    Array.from({ length: count }, (_, index) => String(index).padStart(34, '0'));
  const { tell, held } = account([numbered(MAX_LISTED_IDS + 1)]);
  await expect(tell()).rejects.toThrow('Deploy with uncheckedIds=all');
  expect(held()).toEqual({});
  const most = account([numbered(MAX_LISTED_IDS)]);
  await most.tell();
  expect(Object.keys(most.held())).toHaveLength(MAX_LISTED_IDS + 1);
});

test('with uncheckedIds=all nothing is listed, and a key that is there goes', async () => {
  const id = earlier();
  const { tell, held, looks } = account([[id]], { key: KEY });
  await tell({ uncheckedIds: 'all' });
  expect(held()).toEqual({});
  expect(looks()).toBe(0);
  await tell();
  expect(held()).toEqual({ key: KEY, [id]: '1' });
});

test('the ids of all videos are those that have a card, or were deleted and may be had back', async () => {
  const directory = await temporaryDirectory();
  const s3 = await listenS3({ directory: directory.path });
  const { region, ...credentials } = keyring;
  const client = new S3Client({ region, credentials, endpoint: s3.endpoint, forcePathStyle: true });
  await ensureBuckets(client, { uploads: 'uploads', media: 'media' });
  const [there, deleted] = [earlier(), earlier()];
  for (const key of [cardKey(there), tombstoneKey(deleted), cleanupKey(earlier()), 'videos/other.json']) {
    await client.send(new PutObjectCommand({ Bucket: 'media', Key: key, Body: '{}' }));
  }
  const found: string[] = [];
  for await (const id of idsOfVideos(client, 'media')) found.push(id);
  expect(found).toEqual([there, deleted]);
  client.destroy();
  await s3.close();
  await directory.remove();
});
