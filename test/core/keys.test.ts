import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey, parseArtifactKey } from '../../core/artifacts/artifacts.ts';
import { checkValue, fitsKey } from '../../core/access/video-id.ts';
import { isVideoId, newVideoId, parseRevisionRecord, videoIdDate } from '../../core/artifacts/keys.ts';
import type { Artifact } from '../../core/artifacts/artifact.ts';

const id = newVideoId(new Date('2026-01-01'));
const rev = '0123456789';

test.each<[string, Artifact]>([
  [`v/${id}/master.m3u8`, { kind: 'multivariant' }],
  [`v/${id}/${rev}/720p/index.m3u8`, { kind: 'playlist', rev, rendition: '720p' }],
  [`v/${id}/${rev}/720p/00042.ts`, { kind: 'segment', rev, rendition: '720p', index: 42, extension: 'ts' }],
  [
    `v/${id}/${rev}/audio-0/00000.aac`,
    { kind: 'segment', rev, rendition: 'audio-0', index: 0, extension: 'aac' },
  ],
  [`v/${id}/${rev}/poster.jpg`, { kind: 'poster', rev }],
  [`v/${id}/${rev}/thumb/0.jpg`, { kind: 'thumb', rev, seconds: 0 }],
  [`v/${id}/${rev}/thumb/120.jpg`, { kind: 'thumb', rev, seconds: 120 }],
  [`v/${id}/${rev}/storyboard.vtt`, { kind: 'storyboard', rev }],
  [`v/${id}/${rev}/storyboard/3.jpg`, { kind: 'sheet', rev, index: 3 }],
  [`v/${id}/poster.jpg`, { kind: 'poster', rev: CURRENT }],
  [`v/${id}/thumb/120.jpg`, { kind: 'thumb', rev: CURRENT, seconds: 120 }],
  [`v/${id}/storyboard.vtt`, { kind: 'storyboard', rev: CURRENT }],
])('%s is built and parsed', (key, artifact) => {
  expect(artifactKey(id, artifact)).toBe(key);
  expect(parseArtifactKey(key)).toEqual({ id, artifact });
});

test.each([
  `v/${id}/index.m3u8`,
  `v/${id}/${rev}/720p/42.ts`,
  `v/${id}/${rev}/720p/000042.ts`, // a second name for 00042.ts would be a second copy
  `v/${id}/${rev}/../720p/00042.ts`,
  `v/${id}/${rev}/720p/00042.mp4`,
  `v/${id}/storyboard/3.jpg`, // sheets are named by revision
  `v/${id}/${CURRENT}/poster.jpg`,
  `v/${id}/${rev}/thumb/07.jpg`,
  `v/${id}/${rev}/thumb/7.png`,
  `v/${id}/${rev}/thumb/-1.jpg`,
  `v/${id}/${rev}/storyboard/00.jpg`,
  `v/${id.toUpperCase()}/master.m3u8`,
  `plans/${id}.json`,
])('%s is no key of ours', (key) => {
  expect(parseArtifactKey(key)).toBeUndefined();
});

test('ids are valid, differ, and sort newest first', () => {
  const earlier = newVideoId(new Date('2026-01-01T00:00:00.000Z'));
  const later = newVideoId(new Date('2026-01-01T00:00:00.001Z'));
  expect(isVideoId(earlier) && isVideoId(later)).toBe(true);
  expect(later < earlier).toBe(true);
  expect(newVideoId(new Date(0))).not.toBe(newVideoId(new Date(0)));
});

test('an id fits the key that it was made with, and no other', () => {
  const made = newVideoId(new Date('2026-01-01'), 'key');
  expect(isVideoId(made)).toBe(true);
  expect(fitsKey(made, 'key')).toBe(true);
  expect(fitsKey(made, 'another key')).toBe(false);
  expect(fitsKey(newVideoId(new Date('2026-01-01')), 'key')).toBe(false);
  // Given out by the first release.
  expect(fitsKey('zd30j0l9uaislz35nxcmsue4k7lpy0xn9v', 'key')).toBe(false);
});

test('what an id is checked by stays what it is: ids that were given out must go on fitting', () => {
  const start = 'zd30j0l9uaislz35nxcmsu';
  expect(checkValue(start, 'key')).toBe('4ya36yc92u82');
});

test.each([
  ['the random characters', 9, 22],
  ['the check value', 22, 34],
])('%s are of all digits alike, and differ from id to id', (_, from, to) => {
  const ids = Array.from({ length: 1000 }, () => newVideoId(new Date(0), 'key').slice(from, to));
  expect(new Set(ids).size).toBe(1000);
  const counts = new Map<string, number>();
  for (const digit of ids.join('')) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  expect(counts.size).toBe(36);
  const expected = (1000 * (to - from)) / 36;
  for (const count of counts.values()) {
    expect(count).toBeGreaterThan(expected * 0.6);
    expect(count).toBeLessThan(expected * 1.5);
  }
});

test('an id tells when it was made', () => {
  expect(videoIdDate(id)).toEqual(new Date('2026-01-01'));
});

test.each([
  [`plans/${id}.json`, { id, rev: undefined, kind: 'plan' }],
  [`plans/${id}.ready.json`, { id, rev: undefined, kind: 'ready' }],
  [`plans/${id}/${rev}.json`, { id, rev, kind: 'plan' }],
  [`plans/${id}/${rev}.work.json`, { id, rev, kind: 'work' }],
  [`plans/${id}/revisions.json`, undefined],
])('%s is a record of %j', (key, record) => {
  expect(parseRevisionRecord(key)).toEqual(record);
});
