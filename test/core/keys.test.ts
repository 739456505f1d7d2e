import { CURRENT } from '../../core/artifacts/artifact.ts';
import { artifactKey, parseArtifactKey } from '../../core/artifacts/artifacts.ts';
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
