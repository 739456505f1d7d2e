// A failure in the log names its video, and keeps its stack.

import { jest } from '@jest/globals';
import { format } from 'node:util';
import { CURRENT } from '../../core/artifacts/artifact.ts';
import { cardKey, delayKey, newVideoId, planKey, revisionsKey } from '../../core/artifacts/keys.ts';
import { OutageError, notFound } from '../../core/errors.ts';
import { httpApi } from '../../pipeline/http/api.ts';
import type { ApiOptions } from '../../pipeline/http/api.ts';
import { httpOrigin } from '../../pipeline/http/origin.ts';
import { watchPages } from '../../pipeline/http/watch-pages.ts';
import { dueVideos } from '../../pipeline/life/delay.ts';
import { ingest } from '../../pipeline/life/ingest.ts';
import { logFailure, logWarning, videoIdIn, withFailureLogged } from '../../pipeline/observe.ts';
import { maintain } from '../../pipeline/revisions/maintenance.ts';
import { sweepRevisions } from '../../pipeline/revisions/sweep.ts';
import { faultyStore } from '../support/faults.ts';
import { putCard } from '../support/life.ts';
import { worldIn } from '../support/world.ts';

const id = newVideoId(new Date());
const json = { contentType: 'application/json' };
const options = {
  now: new Date(),
  graceSeconds: 1,
  enqueue: async () => undefined,
  isTimeUp: () => false,
};
const broken = () => Promise.reject(new Error('broken'));

let lines: string[];
beforeEach(() => {
  lines = [];
  for (const level of ['error', 'warn'] as const) {
    jest.spyOn(console, level).mockImplementation((...said) => void lines.push(format(...said)));
  }
});
afterEach(() => jest.restoreAllMocks());

/** Of a store in which nothing is found, but only after an error without a name. */
const brokenWorld = () => {
  const world = worldIn('/nonexistent');
  return { ...world, media: faultyStore(world.media, { head: broken, getTagged: broken }) };
};

test.each<[string, () => Promise<unknown>]>([
  [
    'the API',
    async () =>
      httpApi({ stores: brokenWorld(), publicBaseUrl: '' } as unknown as ApiOptions).request(
        `/api/videos/${id}`,
      ),
  ],
  ['the origin', async () => httpOrigin(brokenWorld()).request(`/v/${id}/poster.jpg`)],
  [
    'a page',
    async () =>
      watchPages({
        ...{ buckets: brokenWorld(), publicBaseUrl: '', isProtected: false },
        pageFile: async () => '',
      }).request(`/watch/${id}`),
  ],
])('%s names the video that a request was about', async (_, request) => {
  await request();
  expect(lines).toEqual([expect.stringMatching(new RegExp(`^video ${id}: Error: broken\n    at `))]);
});

test('an upload whose event meets an outage is named', async () => {
  const world = worldIn('/nonexistent');
  await putCard(id, world);
  const away = () => Promise.reject(new OutageError('STORE_UNAVAILABLE'));
  const uploads = faultyStore(world.uploads, { head: away });
  await ingest(id, { ...world, uploads }, async () => undefined);
  expect(lines).toEqual([`video ${id}: STORE_UNAVAILABLE: The store does not answer, or not completely.`]);
});

test('records that cannot be read are named, by all who pass over them', async () => {
  const world = worldIn('/nonexistent');
  await putCard(id, world);
  await world.media.put(delayKey(id), 'Once upon a time.', json);
  for await (const due of dueVideos(world, new Date())) expect(due).toBe('none');
  await world.media.put(revisionsKey(id), 'Once upon a time.', json);
  for (const rev of ['0123456789', '1123456789']) await world.media.put(planKey(id, rev), '{}', json);
  await sweepRevisions(world, options);
  expect(lines).toEqual([
    expect.stringMatching(new RegExp(`^video ${id}: RecordError: The record ${delayKey(id)} .*\n    at `)),
    expect.stringMatching(
      new RegExp(`^video ${id}, sweep: RecordError: The record ${revisionsKey(id)} .*\n    at `),
    ),
  ]);
});

test('a command for all videos names the one that failed', async () => {
  const world = worldIn('/nonexistent');
  await putCard(id, world);
  const media = faultyStore(world.media, { getTagged: broken });
  await maintain({ command: 'recipes' }, { ...world, media }, options);
  expect(lines).toEqual([expect.stringMatching(new RegExp(`^video ${id}: Error: broken\n    at `))]);
});

test('what a function fails with is logged and passes; what is nobody’s failure only passes', async () => {
  await expect(withFailureLogged(id, broken)).rejects.toThrow('broken');
  await expect(withFailureLogged(id, () => Promise.reject(notFound('such video')))).rejects.toThrow('such');
  expect(lines).toEqual([expect.stringMatching(new RegExp(`^video ${id}: Error: broken\n    at `))]);
});

test('a cause, with its own stack, is logged with an error; what concerns no video has no name before it', () => {
  logFailure(id, new Error('outer', { cause: new TypeError('inner') }));
  logFailure(undefined, new Error('alone'));
  logWarning(id, notFound('such video'));
  expect(lines).toEqual([
    expect.stringMatching(/Error: outer\n    at [^]*\[cause\]: TypeError: inner\n +at /),
    expect.stringMatching(/^Error: alone\n    at /),
    `video ${id}: NOT_FOUND: There is no such video.`,
  ]);
});

test.each([
  [`/api/videos/${id}`, id],
  [`/api/u/${id}.1700000000.5..signature/s3/sign`, id],
  [`/v/a.1700000000.signature/${id}/master.m3u8`, id],
  [cardKey(id), id],
  [`/v/${CURRENT}/poster.jpg`, undefined],
  ['/api/uploads', undefined],
])('the video of %s is %s', (path, found) => {
  expect(videoIdIn(path)).toBe(found);
});
