// Stored records outlive their code: what an older version wrote is read, what a newer one wrote is refused.

import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { RecordError } from '../../core/errors.ts';
import { QUEUE_KEY, newVideoId, planKey, unrecordedMezzanineKey } from '../../core/artifacts/keys.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import { CARD } from '../../core/records/card.ts';
import { LOST } from '../../core/records/lost.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import { DELAY } from '../../core/records/delay.ts';
import { PLAN } from '../../core/records/plan.ts';
import { QUEUE } from '../../core/records/queue.ts';
import { recordKind } from '../../core/records/record.ts';
import { TOMBSTONE } from '../../core/records/tombstone.ts';
import { WORK } from '../../core/records/work.ts';
import { FIRST_RECIPE } from '../../core/recipes/first.ts';
import { SOURCE, probeOf } from '../support/probes.ts';
import { recordingOf } from '../support/recipe-recordings.ts';

const id = newVideoId(new Date());

describe('a kind of record with two versions behind it', () => {
  const kind = recordKind(z.object({ seconds: z.number(), title: z.string() }), [
    ({ ms, ...rest }) => ({ ...rest, seconds: Number(ms) / 1000 }),
    (record, key) => ({ title: key, ...record }),
  ]);

  test('is stored with its version, and read without it', () => {
    const record = { seconds: 2, title: 'Film' };
    expect(kind.stored(record)).toEqual({ version: 2, ...record });
    expect(kind.parse(JSON.stringify(kind.stored(record)), 'key')).toEqual(record);
  });

  test('that could not be read again is not stored', () => {
    const record = { seconds: Infinity, title: 'Film' };
    expect(kind.fault(record)).toContain('seconds');
    expect(() => kind.stored(record)).toThrow('could not be read again');
    expect(kind.fault({ ...record, seconds: 2 })).toBeUndefined();
  });

  test.each([
    ['without a version', { ms: 2000 }],
    ['of version 1', { version: 1, seconds: 2 }],
  ])('%s is migrated', (_, old) => {
    expect(kind.parse(old, 'key')).toEqual({ seconds: 2, title: 'key' });
  });

  test('of a newer version is refused, with its key', () => {
    const read = () => kind.parse({ version: 3, seconds: 2, title: '' }, 'videos/a.json');
    expect(read).toThrow(RecordError);
    expect(read).toThrow(
      'The record videos/a.json was written by a newer release (version 3, known up to 2).',
    );
  });

  test.each([
    ['{"seconds":', 'it is not JSON'],
    ['[1]', 'it is not an object'],
    ['null', 'it is not an object'],
    ['{"version":"2"}', 'its version is "2"'],
    ['{"version":2,"title":""}', 'seconds'],
  ])('%s is an error that names the record', (text, reason) => {
    try {
      kind.parse(text, 'videos/a.json');
      throw new Error('it was read');
    } catch (error) {
      expect(error).toMatchObject({ code: 'RECORD_UNREADABLE', key: 'videos/a.json' });
      expect((error as Error).message).toContain(reason);
    }
  });
});

test('a note of 6648bd6 that something is lost, and what it found in a copy, are read as they were meant', () => {
  expect(LOST.parse({ version: 1, rescue: 'held' }, 'plans/a')).toEqual({ rescue: 'held' });
  const way = { reading: 'as it is', picture: 'lossless', sound: 'copy' };
  const copy = { sizeBytes: 9, tracks: [], notices: [], way };
  expect(MEZZANINE.parse({ version: 2, ...copy }, 'mezzanine/a')).toEqual(copy);
});

interface FormerPlan {
  rev: string;
  recipe: object;
  video: { renditions: object[]; processing: object };
  audio: Record<'name' | 'codecs' | 'sampleRate' | 'channels' | 'bitrateBps', unknown>;
}

describe('a plan', () => {
  const settings = { maxDurationSeconds: 3600, prewarm: 'all' } as const;
  const plan = planFor(probeOf({ video: {}, audio: {} }), SOURCE, settings);
  const key = planKey(id, plan.rev);

  test('is read as it was stored', () => {
    expect(PLAN.parse(JSON.stringify(PLAN.stored(plan)), key)).toEqual(plan);
  });

  test('of e50b81e keeps its address and all that it decides, and has no notices and no mirrored picture', () => {
    const stored = JSON.parse(readFileSync('test/fixtures/plan-e50b81e.json', 'utf8')) as { rev: string };
    const { version: _, tracks, ...known } = stored as { rev: string; version: number; tracks: object[] };
    const unmirrored = tracks.map((track) =>
      'processing' in track
        ? { ...track, processing: { ...(track.processing as object), mirror: false } }
        : track,
    );
    expect(PLAN.parse(stored, planKey(id, stored.rev))).toEqual({
      ...known,
      tracks: unmirrored,
      notices: [],
      prewarmEffort: 'quick',
    });
  });

  // As version 1 was written, when there was one track of each kind.
  const { title: _title, plan: former } = recordingOf('2').videos.find(
    ({ plan: { video, audio } }) => video && audio,
  )!;
  const formerKey = planKey(id, former['rev'] as string);

  test('of 266c94b keeps its address, and its tracks and renditions are told apart', () => {
    const { rev, recipe, video, audio } = former as unknown as FormerPlan;
    const read = PLAN.parse(former, formerKey);
    expect(read).toMatchObject({ rev, recipe });
    const { renditions: rungs, ...picture } = video;
    const { name, codecs, sampleRate, channels, bitrateBps, ...sound } = audio;
    const nothing = { language: null, title: null, isDefault: false, isForced: false };
    expect(read.tracks).toEqual([
      {
        ...{ kind: 'video', id: 'video-0', ...nothing, ...picture },
        processing: { ...picture.processing, mirror: false },
      },
      { kind: 'audio', id: 'audio-0', ...nothing, ...sound },
    ]);
    expect(read.renditions).toEqual([
      ...rungs.map((rung) => ({
        ...{ kind: 'video', track: 'video-0', codec: 'h264', format: 'mpeg-ts' },
        ...rung,
      })),
      {
        ...{ kind: 'audio', track: 'audio-0', codec: 'aac', format: 'packed-audio' },
        ...{ name, codecs, sampleRate, channels, bitrateBps },
      },
    ]);
  });

  test.each(['picture', 'sound'])('of 266c94b without a %s is read', (missing) => {
    const without = missing === 'picture' ? { video: null } : { audio: null };
    const { tracks, renditions } = PLAN.parse({ ...former, ...without }, formerKey);
    const kind = missing === 'picture' ? 'audio' : 'video';
    expect(new Set([...tracks, ...renditions].map((own) => own.kind))).toEqual(new Set([kind]));
  });

  test('with a codec that its format does not hold is an error, not a guess', () => {
    const [first, ...others] = plan.renditions;
    const renditions = [{ ...first, codec: 'aac' }, ...others];
    expect(() => PLAN.parse({ ...PLAN.stored(plan), renditions }, key)).toThrow(
      'its codec is of no format that is known by this name',
    );
  });

  test('of 8e3bc33 keeps its address, and means the first recipe', () => {
    const { recipe: _, version: _version, ...unversioned } = former;
    const read = PLAN.parse(unversioned, `plans/${id}.json`);
    expect(read).toEqual({ ...PLAN.parse(former, formerKey), recipe: FIRST_RECIPE });
  });

  test.each([
    ['the ETag', { etag: 'e' }, unrecordedMezzanineKey(id, 'e')],
    ['the video alone, before 2661e34', {}, `mezzanine/${id}.mkv`],
  ])('of 8e3bc33 finds its copy, named after %s', (_, etag, copy) => {
    const { recipe: _recipe, version: _version, ...unversioned } = former;
    const source = { kind: 'mezzanine', reason: 'CONTAINER', sizeBytes: 9, keyframeSeconds: 2, ...etag };
    const read = PLAN.parse({ ...unversioned, source }, `plans/${id}.json`);
    expect(read.source).toEqual({ ...source, key: copy });
  });

  test('with a recipe that lacks something is an error, not a guess', () => {
    const { h264: _, ...recipe } = plan.recipe;
    expect(() => PLAN.parse({ ...PLAN.stored(plan), recipe }, key)).toThrow(
      `The record ${key} cannot be read`,
    );
  });
});

test('a card of before there were upload tokens allowed just its own file', () => {
  const card = {
    filename: 'a.mp4',
    contentType: 'video/mp4',
    sizeBytes: 9,
    createdAt: '2026-01-01T00:00:00.000Z',
  };
  expect(CARD.parse(card, 'key')).toEqual({ ...card, maxBytes: 9 });
});

test.each([
  [
    { from: 8, to: 16 },
    { kind: 'chunk', from: 8, to: 16, renditions: null },
  ],
  [{ stills: true }, { kind: 'stills', thumbs: [] }],
])('work %j of a list that 8e3bc33 wrote is done', (old, what) => {
  const rev = '0123456789';
  expect(WORK.parse({ id, rev, ...old }, 'key')).toEqual({ id, rev, what });
});

test('a delay of version 1, as it was first written, is read', () => {
  const stored =
    '{"version":1,"code":"STORE_UNAVAILABLE","failures":3,"triedUntil":null,"triedBy":null,' +
    '"since":"2026-11-28T01:12:19.043Z","retryAt":"2026-11-28T02:13:19.043Z"}';
  expect(DELAY.parse(stored, 'key')).toEqual({
    ...{ code: 'STORE_UNAVAILABLE', failures: 3, triedUntil: null, triedBy: null },
    ...{ since: '2026-11-28T01:12:19.043Z', retryAt: '2026-11-28T02:13:19.043Z' },
  });
});

test('a tombstone of version 1, which could not be taken back, is one whose grace time is over', () => {
  const askedAt = '2026-11-28T01:12:19.043Z';
  expect(TOMBSTONE.parse(`{"version":1,"askedAt":"${askedAt}"}`, 'key')).toEqual({
    ...{ askedAt, calledAt: askedAt, card: null, purgeAt: askedAt, stage: 'asked' },
  });
});

test('a tombstone of version 2 is read as it is', () => {
  const stored =
    '{"version":2,"askedAt":"2026-11-29T19:10:00.000Z","calledAt":"2026-11-29T19:10:01.500Z",' +
    '"card":"{\\"version\\":1,\\"maxBytes\\":9,\\"createdAt\\":\\"2026-01-01T00:00:00.000Z\\"}",' +
    '"purgeAt":"2026-11-30T19:10:00.000Z","stage":"unreachable"}';
  const { version, ...tombstone } = JSON.parse(stored) as Record<string, unknown>;
  expect([version, TOMBSTONE.parse(stored, 'key')]).toEqual([2, tombstone]);
});

test('a queue as it was first stored is read as it is', () => {
  const queue = {
    lists: [
      {
        ...{ id, rev: '0123456789', group: 'course-1', queuedAt: '2026-11-29T10:00:00.000Z' },
        ...{ count: 3, secondsPerItem: 38.5, next: 2, givenUp: ['failed', 'STORE_UNAVAILABLE'] },
        returned: [{ index: 0, failures: 1, outages: 2, notBefore: '2026-11-29T10:00:08.000Z' }],
      },
    ],
    running: [
      {
        ...{ ticket: 7, id, rev: '0123456789', group: 'course-1', index: 1, failures: 0, outages: 0 },
        ...{ worker: 0, by: 'a call' },
      },
    ],
    workers: [{ run: 4, until: '2026-11-29T10:03:00.000Z', by: 'a call' }],
    turns: 8,
    served: [{ group: 'course-1', times: 3, last: 7 }],
    movedAt: null,
  };
  expect(QUEUE.parse(JSON.stringify({ version: 1, ...queue }), QUEUE_KEY)).toEqual(queue);
});
