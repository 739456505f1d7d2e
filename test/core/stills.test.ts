import { planFor } from '../../core/plan/plan-for.ts';
import { sheetAt, sheetCount, stillsPlan, storyboardTrack } from '../../core/plan/stills.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const HD = { width: 1920, height: 1080 };

test.each([
  [0.04, 1, 1, 1],
  [20, 1, 20, 1],
  [400, 2, 200, 8],
  [401, 5, 81, 4],
  [1800, 10, 180, 8],
  [7200, 60, 120, 5],
  [12 * 3600, 300, 144, 6],
  [10 * 24 * 3600, 4320, 200, 8],
])('a film of %d s has a picture every %d s: %i on %i sheets', (seconds, interval, count, sheets) => {
  const stills = stillsPlan(HD, seconds);
  expect([stills.intervalSeconds, stills.count, sheetCount(stills)]).toEqual([interval, count, sheets]);
});

test.each([
  [HD, { width: 1280, height: 720 }, { width: 160, height: 90 }],
  [
    { width: 1080, height: 1920 },
    { width: 720, height: 1280 },
    { width: 90, height: 160 },
  ],
  [
    { width: 64, height: 36 },
    { width: 64, height: 36 },
    { width: 64, height: 36 },
  ],
  [
    { width: 4000, height: 40 },
    { width: 1280, height: 12 },
    { width: 160, height: 2 },
  ],
])('of %j the poster is %j and a tile %j', (picture, poster, tile) => {
  expect(stillsPlan(picture, 60)).toMatchObject({ poster, tile });
});

test('the last sheet is no larger than its tiles', () => {
  const stills = stillsPlan(HD, 28);
  expect(sheetAt(stills, 0)).toEqual({ from: 0, to: 25, columns: 5, rows: 5 });
  expect(sheetAt(stills, 1)).toEqual({ from: 25, to: 28, columns: 3, rows: 1 });
});

test('the track names a part of a sheet for every moment up to the end', () => {
  const probe = probeOf({ video: { frames: 25 * 27 - 10 } });
  const film = planFor(probe, SOURCE, { maxDurationSeconds: 3600, prewarm: 'all' });
  const cues = storyboardTrack(film.grid, film.stills!, '').split('\n\n');
  expect(cues).toHaveLength(1 + 27);
  expect(cues.slice(0, 3)).toEqual([
    'WEBVTT',
    '00:00:00.000 --> 00:00:01.000\nstoryboard/0.jpg#xywh=0,0,160,90',
    '00:00:01.000 --> 00:00:02.000\nstoryboard/0.jpg#xywh=160,0,160,90',
  ]);
  expect(cues[7]).toContain('storyboard/0.jpg#xywh=160,90,160,90');
  expect(cues.at(-1)).toBe('00:00:26.000 --> 00:00:26.600\nstoryboard/1.jpg#xywh=160,0,160,90\n');
});
