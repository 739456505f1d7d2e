// The check of ids and paths at the edge, with its real source, of ids as core makes them.

import { join } from 'node:path';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';
import { artifactKey, parseArtifactKey } from '../../core/artifacts/artifacts.ts';
import { newVideoId, parseCardKey } from '../../core/artifacts/keys.ts';
import { FORMATS } from '../../core/formats/formats.ts';
import { edge } from '../support/edge.ts';
import type { EdgeResponse } from '../support/edge.ts';
import { temporaryDirectory } from '../support/media.ts';
import { copyOfFixture, keysBelow, withStoreOf } from '../support/upgrade.ts';

const KEY = 'generated';
const NOW = new Date('2026-03-01T12:00:00Z');
const id = newVideoId(NOW, KEY);
/** As the first release made one. */
const EARLIER = 'zd30j0l9uaislz35nxcmsue4k7lpy0xn9v';
const REV = '0123456789';

/** What the edge does with a path, as a store that holds this decides it. */
async function asked(uri: string, held: Record<string, string> | undefined, method = 'GET') {
  const handler = await edge('video-id', held);
  const result = await handler({ request: { method, uri } });
  if (!('statusCode' in result)) return result;
  const { statusCode, headers, body } = result as EdgeResponse;
  return { statusCode, headers, ...(JSON.parse(body.data) as { code: string; message: string }) };
}

const REFUSED = {
  statusCode: 404,
  headers: {
    'content-type': { value: 'application/json' },
    'cache-control': { value: 'no-store' },
    'access-control-allow-origin': { value: '*' },
  },
  code: 'NOT_FOUND',
};
const NO_VIDEO = { ...REFUSED, message: 'There is no such video.' };
const NO_ARTIFACT = { ...REFUSED, message: 'There is no such artifact.' };

const master = (of: string): string => `/v/${of}/master.m3u8`;

test('a new id passes, whatever it was made of', async () => {
  for (let count = 0; count < 200; count += 1) {
    const uri = master(newVideoId(new Date(NOW.getTime() + count * 1e9), KEY));
    expect(await asked(uri, { key: KEY })).toEqual({ method: 'GET', uri });
  }
});

/** Another digit in one place. */
const changedAt = (place: number): string =>
  id.slice(0, place) + (id[place] === 'a' ? 'b' : 'a') + id.slice(place + 1);

test.each(Array.from({ length: 34 }, (_, place) => place))(
  'an id with another digit %i does not',
  async (place) => {
    expect(await asked(master(changedAt(place)), { key: KEY })).toEqual(NO_VIDEO);
  },
);

test.each([
  ['made with another key', newVideoId(NOW, 'another')],
  ['from before there were keys', EARLIER],
  ['made up', '0'.repeat(34)],
])('an id %s does not, unless it is listed', async (_, other) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    expect(await asked(master(other), { key: KEY }, method)).toEqual(NO_VIDEO);
  }
  const uri = `/v/${other}/${REV}/720p/00042.ts`;
  expect(await asked(uri, { key: KEY, [other]: '1' })).toEqual({ method: 'GET', uri });
});

test.each([
  ['holds no key yet', { [EARLIER]: '1' }],
  ['does not answer', undefined],
])('where the store %s, any id passes, but still no path that no artifact has', async (_, held) => {
  for (const uri of [master(id), master(EARLIER), master('0'.repeat(34))]) {
    expect(await asked(uri, held)).toEqual({ method: 'GET', uri });
  }
  expect(await asked(`/v/${id}/any.m3u8`, held)).toEqual(NO_ARTIFACT);
});

/** Of each kind all that there is; a kind that is missing here does not compile. */
const ARTIFACTS: { [Kind in Artifact['kind']]: (Artifact & { kind: Kind })[] } = {
  multivariant: [{ kind: 'multivariant' }],
  playlist: ['2160p', '234p', 'audio-0-low', 'audio-12'].map((rendition) => ({
    ...{ kind: 'playlist', rev: REV, rendition },
  })),
  segment: FORMATS.flatMap(({ extension }) =>
    [0, 42, 99_999, 100_000, 999_999].map((index) => ({
      ...{ kind: 'segment' as const, rev: REV, rendition: '720p', index, extension },
    })),
  ),
  init: [],
  poster: [REV, CURRENT].map((rev) => ({ kind: 'poster', rev })),
  thumb: [REV, CURRENT].flatMap((rev) =>
    [0, 120, 43_200].map((seconds) => ({ kind: 'thumb', rev, seconds })),
  ),
  storyboard: [REV, CURRENT].map((rev) => ({ kind: 'storyboard', rev })),
  sheet: [0, 9999].map((index) => ({ kind: 'sheet', rev: REV, index })),
};

test.each(
  Object.values(ARTIFACTS)
    .flat()
    .map((artifact) => artifactKey(id, artifact)),
)('%s is the path of an artifact', async (key) => {
  expect(parseArtifactKey(key)).toBeDefined();
  expect(await asked(`/${key}`, { key: KEY })).toEqual({ method: 'GET', uri: `/${key}` });
});

test.each(['8e3bc33', '266c94b', '6648bd6', 'e50b81e', 'ec5dbee'])(
  'whatever the release of commit %s has stored for viewers can still be asked for, where its id is listed',
  async (commit) => {
    const directory = await temporaryDirectory();
    try {
      const data = await copyOfFixture(`data-${commit}`, join(directory.path, commit));
      const [keys, cards] = await withStoreOf(data, (client) =>
        Promise.all(['v/', 'videos/'].map((prefix) => keysBelow(client, prefix))),
      );
      expect(keys!.length).toBeGreaterThan(10);
      // By which it is listed.
      expect(new Set(keys!.map((key) => key.split('/')[1]))).toEqual(new Set(cards!.map(parseCardKey)));
      for (const key of keys!) {
        const held = { key: KEY, [key.split('/')[1]!]: '1' };
        expect(await asked(`/${key}`, held)).toEqual({ method: 'GET', uri: `/${key}` });
      }
    } finally {
      await directory.remove();
    }
  },
);

test('what a player reads before the first segment can be asked for, though no format of ours has it', async () => {
  const uri = `/v/${id}/${REV}/720p/init.mp4`;
  expect(await asked(uri, { key: KEY })).toEqual({ method: 'GET', uri });
});

test.each([
  `/v/${id}`,
  `/v/${id}/`,
  `/v/${id}/index.m3u8`,
  `/v/${id}/master.m3u8/`,
  `/v/${id}/master.m3u8x`,
  `/v/${id}/${REV}/master.m3u8`,
  `/v/${id}/storyboard/3.jpg`,
  `/v/${id}/720p/index.m3u8`,
  `/v/${id}/${REV}/720p/index.vtt`,
  `/v/${id}/${REV}/720p/42.ts`,
  `/v/${id}/${REV}/720p/0000042.ts`,
  `/v/${id}/${REV}/720p/1/00042.ts`,
  `/v/${id}/${REV}/thumb/1234567.jpg`,
  `/v/${id}/0123456789a/poster.jpg`,
  `/v/${id}/../${id}/master.m3u8`,
  `/v/${id}/${REV}/../master.m3u8`,
  `/v/${id}/%2e%2e/${id}/master.m3u8`,
  `/v/${id}/${REV}/%2E%2E/00042.ts`,
  `/v/${id}/..\\x.ts`,
  `/v//${id}/master.m3u8`,
  `//v/${id}/master.m3u8`,
  `/v/${id}//master.m3u8`,
  `/v/${id}/master%2em3u8`,
  `/v/${id.toUpperCase()}/master.m3u8`,
  `/v/${id}0/master.m3u8`,
  `/v/${id.slice(1)}/master.m3u8`,
  `/v/x/master.m3u8`,
  `/plans/${id}.json`,
])('%s is the path of none', async (uri) => {
  expect(parseArtifactKey(uri.slice(1))).toBeUndefined();
  expect(await asked(uri, { key: KEY })).toEqual(NO_ARTIFACT);
});
