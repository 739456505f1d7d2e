import { planFor } from '../../core/plan/plan-for.ts';
import { mainTrack, renditionNamed, renditionsOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { PrewarmExtent } from '../../core/plan/plan-for.ts';
import { mediaPlaylist, multivariantPlaylist } from '../../core/playlists/playlists.ts';
import { segmentSeconds, unitsOf } from '../../core/plan/segments.ts';
import { framesOfSegment, segmentCount } from '../../core/plan/grid.ts';
import { PLAN } from '../../core/records/plan.ts';
import type { AudioStream, VideoStream } from '../../core/source/probe.ts';
import { workFor } from '../../core/work/work.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const SETTINGS = { maxDurationSeconds: 12 * 3600, prewarm: 'all' } as const;
const plan = (parts: Parameters<typeof probeOf>[0]): Plan => planFor(probeOf(parts), SOURCE, SETTINGS);

const RATES = [
  [24, 1],
  [24_000, 1001],
  [25, 1],
  [30_000, 1001],
  [50, 1],
  [60, 1],
  [5, 1],
] as const;

describe.each(RATES)('two hours at %i/%i', (num, den) => {
  const frames = Math.floor((7200 * num) / den) - 7;
  const film = plan({
    video: { baseFrameRate: { num, den }, averageFrameRate: { num, den }, frames },
    audio: {},
  });
  const [[rung], [sound]] = [renditionsOf(film, 'video'), renditionsOf(film, 'audio')];
  const indices = Array.from({ length: segmentCount(film.grid) }, (_, index) => index);

  test('every frame belongs to exactly one segment, in order', () => {
    const ranges = indices.map((index) => framesOfSegment(film.grid, index));
    expect(ranges[0]!.from).toBe(0);
    expect(ranges.at(-1)!.to).toBe(frames);
    for (const index of indices.slice(1)) expect(ranges[index]!.from).toBe(ranges[index - 1]!.to);
  });

  test('sound is cut within half an AAC frame of the picture, to the end', () => {
    for (const index of indices) {
      const { from } = unitsOf(film, sound!, index);
      const pictureAt = (framesOfSegment(film.grid, index).from * den) / num;
      expect(Math.abs((from * 1024) / 48_000 - pictureAt)).toBeLessThanOrEqual(512 / 48_000 + 1e-9);
      if (index > 0) expect(from).toBe(unitsOf(film, sound!, index - 1).to);
    }
  });

  test('the durations in the playlist add up to the film', () => {
    const listed = [...mediaPlaylist(film, rung!).matchAll(/#EXTINF:([\d.]+),/g)];
    const total = listed.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
    expect(Math.abs(total - (frames * den) / num)).toBeLessThan(1e-6 * listed.length);
  });

  test('the work list covers every segment once, and ends with the pictures', () => {
    const work = workFor('id', film);
    const covered = work.flatMap(({ what }) =>
      what.kind === 'stills' ? [] : indices.slice(what.from, what.to),
    );
    expect(covered).toEqual(indices);
    expect(work.at(-1)).toEqual({ id: 'id', rev: film.rev, what: { kind: 'stills', thumbs: [] } });
  });
});

test('segments at 29.97 fps last 2.002 s: a GOP of 60 frames', () => {
  const ntsc = { num: 30_000, den: 1001 };
  const film = plan({ video: { baseFrameRate: ntsc, averageFrameRate: ntsc, frames: 1000 } });
  expect(film.grid).toMatchObject({ gopFrames: 60, segmentFrames: 60 });
  expect(segmentSeconds(film, renditionNamed(film, '360p')!, 0)).toBeCloseTo(2.002, 9);
});

test('the whole multivariant playlist, before and after measuring', () => {
  const film = plan({ video: { width: 640, height: 360, frames: 250 }, audio: {} });
  expect(multivariantPlaylist(film)).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="${film.rev}/audio-0/index.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-low",NAME="Default",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="${film.rev}/audio-0-low/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1429656,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="audio"
${film.rev}/360p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=191544,CODECS="avc1.64000d,mp4a.40.2",RESOLUTION=416x234,FRAME-RATE=25.000,AUDIO="audio-low"
${film.rev}/234p/index.m3u8
`);
  const measured = {
    '360p': { peakBps: 500_000, averageBps: 400_000 },
    '234p': { peakBps: 120_000, averageBps: 100_000 },
    'audio-0': { peakBps: 130_000, averageBps: 128_000 },
    'audio-0-low': { peakBps: 45_000, averageBps: 43_000 },
  };
  const [usual, cellular] = multivariantPlaylist(film, measured).match(/BANDWIDTH=.*?,CODECS/g)!;
  expect(usual).toBe('BANDWIDTH=630000,AVERAGE-BANDWIDTH=528000,CODECS');
  expect(cellular).toBe('BANDWIDTH=165000,AVERAGE-BANDWIDTH=143000,CODECS');
});

test('the whole media playlist of five seconds', () => {
  const film = plan({ video: { frames: 125 } });
  expect(mediaPlaylist(film, renditionNamed(film, '720p')!)).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXTINF:2.000000,
00000.ts
#EXTINF:2.000000,
00001.ts
#EXTINF:1.000000,
00002.ts
#EXT-X-ENDLIST
`);
});

test('sound alone is a variant of its own', () => {
  const song = plan({ audio: { durationSeconds: 6, sampleRate: 44_100 } });
  expect(multivariantPlaylist(song)).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=156305,CODECS="mp4a.40.2"
${song.rev}/audio-0/index.m3u8
`);
  expect(segmentCount(song.grid)).toBe(3);
});

test('a picture that starts a second after the sound is held from the start', () => {
  const late = plan({ video: { startPts: 25, frames: 250 }, audio: { durationSeconds: 11 } });
  expect(mainTrack(late, 'video')).toMatchObject({ originPts: 0, leadFrames: 25, sourceFrames: 275 });
  expect(late.grid.frameCount).toBe(275);
});

test('a few frames of sound before the picture are dropped, and the picture keeps its frames', () => {
  const film = plan({ video: { startPts: 2, frames: 250 }, audio: { startSeconds: 0 } });
  expect(mainTrack(film, 'video')).toMatchObject({ originPts: 2, leadFrames: 0, sourceFrames: 250 });
  expect(mainTrack(film, 'audio')!.startSample).toBe(-3840);
});

test('tracks that are not published are planned by their own clocks, but for those of unknown length', () => {
  const probe = probeOf({ video: { frames: 250 }, audio: {} });
  const [video, audio] = [probe.video!, probe.audio!];
  const furtherVideo = [{ ...video, index: 2, startPts: 25, timeBase: { num: 1, den: 50 } }];
  const furtherAudio = [
    { ...audio, index: 3, startSeconds: 1, sampleRate: 44_100, durationSeconds: 4, language: 'fra' },
    { ...audio, index: 4, durationSeconds: undefined },
  ];
  const own = { furtherVideo, furtherAudio, durationSeconds: undefined };
  const { tracks, renditions } = planFor({ ...probe, ...own }, SOURCE, SETTINGS);
  expect(tracks).toMatchObject([
    { id: 'video-0', streamIndex: 0, leadFrames: 0 },
    { id: 'video-1', streamIndex: 2, leadFrames: 13, originPts: 0 },
    { id: 'audio-0', streamIndex: 1, startSample: 0 },
    { id: 'audio-1', streamIndex: 3, startSample: 44_100, endSample: 5 * 44_100, language: 'fra' },
  ]);
  expect(tracks).toHaveLength(4);
  expect(new Set(renditions.map(({ track }) => track))).toEqual(new Set(['video-0', 'audio-0']));
});

test.each<[string, Partial<VideoStream>, Partial<AudioStream>]>([
  ['endless', { durationSeconds: 3.6e15 }, { durationSeconds: 3.6e15 }],
  ['without a width, and of an absurd rate', { width: 0 }, { sampleRate: 1e308 }],
  ['that begin beyond all numbers', { startPts: 2 ** 62 }, { startSeconds: 1e300 }],
  ['whose clock is too fine', { timeBase: { num: 1, den: 2 ** 60 } }, { startSeconds: -1e300 }],
])('further tracks %s do not make a plan unreadable', (_, video, audio) => {
  const probe = probeOf({ video: {}, audio: {} });
  const furtherVideo = [{ ...probe.video!, index: 2, ...video }];
  const furtherAudio = [{ ...probe.audio!, index: 3, ...audio }];
  const own = planFor({ ...probe, furtherVideo, furtherAudio }, SOURCE, SETTINGS);
  expect(own.tracks.map(({ id }) => id)).toEqual(['video-0', 'audio-0']);
  expect(PLAN.parse(JSON.stringify(PLAN.stored(own)), 'key')).toEqual(own);
});

test('the last picture is held while the sound goes on', () => {
  const film = plan({ video: { frames: 250 }, audio: { durationSeconds: 15 } });
  expect([film.grid.frameCount, mainTrack(film, 'video')!.sourceFrames]).toEqual([375, 250]);
});

test.each<[PrewarmExtent, string[]]>([
  ['all', ['720p', '480p', '360p', '234p', 'audio-0', 'audio-0-low']],
  ['lowest', ['360p', 'audio-0']],
  ['none', []],
])('with prewarm %s, %j are made ahead of time, and the revision is the same', (prewarm, names) => {
  const probe = probeOf({ video: { frames: 250 }, audio: {} });
  const decided = planFor(probe, SOURCE, { ...SETTINGS, prewarm });
  expect(decided.prewarm).toEqual(names);
  expect(decided.rev).toBe(planFor(probe, SOURCE, SETTINGS).rev);
  expect(workFor('id', decided)).toHaveLength(names.length > 0 ? 2 : 0);
});

test('another source, another revision; the same source, the same', () => {
  const one = plan({ video: { frames: 250 } });
  expect(plan({ video: { frames: 250 } }).rev).toBe(one.rev);
  expect(plan({ video: { frames: 251 } }).rev).not.toBe(one.rev);
});

test('a source above the limit is refused with its length', () => {
  const tooLong = () =>
    planFor(probeOf({ video: { frames: 25 * 61 } }), SOURCE, { ...SETTINGS, maxDurationSeconds: 60 });
  expect(tooLong).toThrow('The video lasts 61 s; at most 60 s are accepted.');
});

test('a source that does not say how long it is is refused', () => {
  const endless = { ...probeOf({ audio: {} }), durationSeconds: undefined };
  endless.audio!.durationSeconds = undefined;
  expect(() => planFor(endless, SOURCE, SETTINGS)).toThrow('The file does not say how long it is.');
});
