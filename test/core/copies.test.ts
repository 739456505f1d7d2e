// What a copy lacks of its source is found by the times of their packets, and told.

import { lossNotices, lossesOf } from '../../core/source/copy-losses.ts';
import { MAX_PARTS, MIN_PART_BYTES } from '../../core/aws-limits.ts';
import {
  firstCopySeconds,
  furtherCopySeconds,
  lostCopySeconds,
  pieceBytesOf,
} from '../../core/source/copy-limits.ts';
import { firstWay, nextWay } from '../../core/source/copy-ways.ts';
import type { CopyWay } from '../../core/source/copy-ways.ts';
import type { IndexedTrack } from '../../core/source/matroska.ts';
import { packetListing, saysDamaged } from '../../core/source/packet-listing.ts';
import { packetTimes } from '../../core/source/packet-times.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import { probeOf } from '../support/probes.ts';

const counted = (times: number[]) => {
  const track = packetTimes();
  times.forEach((time) => track.add(time));
  return track.counted();
};
/** A film of 20 s whose clock begins at 100 s. */
const film = Array.from({ length: 500 }, (_, picture) => 100 + picture / 25);
const probe = { ...probeOf({ video: {} }), startSeconds: 100 };
const TRACK: IndexedTrack = {
  kind: 'video',
  frameCount: 1,
  firstSeconds: 0,
  endSeconds: 1,
  keyframeSeconds: 1,
};

function noticesOf(copied: number[]) {
  const copy = {
    tracks: copied.length > 0 ? [TRACK] : [],
    times: copied.length > 0 ? [counted(copied)] : [],
  };
  return lossNotices(
    lossesOf(probe, () => counted(film), copy, firstWay(probe)),
    copy.tracks,
  );
}
const relative = film.map((time) => Math.round((time - 100) * 1000) / 1000);

test.each([
  ['all pictures', relative, []],
  ['all but two', relative.slice(1, -1), []],
  [
    'a gap of four seconds',
    relative.filter((time) => time < 6 || time >= 10),
    [
      [
        'MEDIA_LOST',
        'video-0',
        'Of the picture about 4 of 20 seconds could not be read: pictures are held there.',
      ],
    ],
  ],
  [
    'nothing of the last five seconds',
    relative.filter((time) => time < 15),
    [['ENDS_EARLY', 'video-0', 'Of the picture the end could not be read: about 5 of 20 seconds.']],
  ],
  [
    'every other picture',
    relative.filter((_, picture) => picture % 2 === 0),
    [
      [
        'MEDIA_LOST',
        'video-0',
        'Of the picture 250 of 500 pictures could not be read: pictures are held there.',
      ],
    ],
  ],
  [
    'all pictures, but most at once',
    relative.map((time) => Math.floor(time) + Math.min(time % 1, 0.2)),
    [['MEDIA_LOST', 'video-0', expect.stringMatching(/about 8 of 20 seconds/)]],
  ],
  ['no picture', [], [['MEDIA_LOST', null, 'None of the picture could be read.']]],
])('a copy with %s', (_, copied, expected) => {
  expect(noticesOf(copied).map(({ code, track, message }) => [code, track, message])).toEqual(expected);
});

test.each([
  ['all of it on another clock', (time: number) => [time + 0.4], false],
  ['two fifths of a second less at its beginning', (time: number) => (time < 0.4 ? [] : [time]), false],
  ['a tenth of a second less', (time: number) => (time >= 6 && time < 6.1 ? [] : [time]), false],
  ['half a second less', (time: number) => (time >= 6 && time < 6.5 ? [] : [time]), true],
  ['all after the first second half a second later', (time: number) => [time < 1 ? time : time + 0.5], true],
])('a copy of sound with %s', (_, copiedAt, isTold) => {
  const own = { ...probeOf({ audio: {} }), startSeconds: 0 };
  const times = Array.from({ length: 800 }, (_, packet) => packet / 40);
  const copy = { tracks: [{ ...TRACK, kind: 'audio' as const }], times: [counted(times.flatMap(copiedAt))] };
  const losses = lossesOf(own, () => counted(times), copy, firstWay(own));
  expect(lossNotices(losses, copy.tracks).map(({ code, track }) => [code, track])).toEqual(
    isTold ? [['MEDIA_LOST', 'audio-0']] : [],
  );
});

test('a list of packets is read in pieces, from the first key picture on, without what an edit list leaves out', () => {
  const listing = packetListing({ video: { index: 0, codec: 'h264' }, audio: { index: 1 } });
  const text =
    '0,1.0,1.0,___,\n0,1.1,1.1,K__,\n\n1,5.0,5.0,K__\n0,N/A,1.2,___,\n0,1.3,1.3,_D_,\n0,N/A,N/A,___,\n';
  for (const piece of text.match(/.{1,7}/gs)!) listing.push(piece);
  expect(listing.counted(0)).toMatchObject({ packets: 3, firstSeconds: 1.1, lastSeconds: 1.2 });
  expect(listing.counted(1)).toMatchObject({ packets: 1, firstSeconds: 5 });
  expect(listing.counted(2)).toMatchObject({ packets: 0 });
});

test('pictures count before the first key where players show them', () => {
  const list = '0,1.0,1.0,___\n0,1.1,1.1,K__\n0,1.2,1.2,___\n';
  const countedOf = (codec: string) => {
    const listing = packetListing({ video: { index: 0, codec } });
    listing.push(list);
    return listing.counted(0).packets;
  };
  expect(['h264', 'mpeg2video', 'mpeg4', 'flv1'].map(countedOf)).toEqual([2, 2, 3, 3]);
});

test('what a demuxer cannot read is damage, unless a recording ends there', () => {
  const probe = { format: 'ogg' };
  expect(saysDamaged('[ogg @ 0x55ea4b] CRC mismatch!\n', probe)).toBe(true);
  expect(saysDamaged('[theora @ 0x55ea4b] error in unpack_block_qpis\n', probe)).toBe(false);
  expect(saysDamaged('[ogg @ 0x55ea4b] File ended prematurely at pos. 9 (0x9)\n', probe)).toBe(false);
});

test('what a decoder says of a stream without a container is not of the file', () => {
  const said = '[h264 @ 0x55ea4b] SEI type 5 size 2208 truncated at 184\n';
  expect(saysDamaged(said, { format: 'h264' })).toBe(false);
  expect(saysDamaged(said.replace('h264', 'aac'), { format: 'aac' })).toBe(false);
});

test('a stamp that jumps to elsewhere and back is damaged, and another clock is not', () => {
  const straysIn = (times: number[]) => counted(times).strays;
  expect(straysIn([0, 1, 2, 1492, 1493, 3, 4])).toBe(true);
  expect(straysIn([0, 1, 2, 1492, 1493, 1494])).toBe(false);
  expect(straysIn([90_000, 90_001, 0, 1, 2, 5000, 5001])).toBe(false);
  // A broadcast comes back from advertisements.
  const seconds = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
  expect(straysIn([...seconds(0, 12), ...seconds(5000, 5015), ...seconds(12, 24)])).toBe(false);
});

test('of a hundred tracks only those that are copied are counted', () => {
  const listing = packetListing({ video: { index: 0, codec: 'h264' }, audio: { index: 1 } });
  for (let track = 0; track < 100; track += 1) listing.push(`${track},0,0,K__\n`);
  expect([0, 1, 2, 99].map((track) => listing.counted(track).packets)).toEqual([1, 1, 0, 0]);
});

test('packets that are shown days or years apart take no more memory than a long film', () => {
  const { packets, lastSeconds, bins } = counted([0, 12 * 3600 - 1, 86_399, 1e9, 1e308]);
  expect({ packets, lastSeconds }).toEqual({ packets: 5, lastSeconds: 1e308 });
  expect(bins.byteLength).toBeLessThan(4 * 1024 ** 2);
});

test('sound that Matroska cannot hold is decoded at once, in a form that holds all of it', () => {
  const soundOf = (codec: string, channels = 2) => firstWay(probeOf({ audio: { codec, channels } })).sound;
  expect(['aac', 'mp3', 'pcm_s16le', 'opus'].map((codec) => soundOf(codec))).toEqual(Array(4).fill('copy'));
  expect(['pcm_bluray', 'pcm_dvd', 's302m', 'cook'].map((codec) => soundOf(codec))).toEqual(
    Array(4).fill('flac'),
  );
  expect(soundOf('pcm_f32be')).toBe('pcm_f32le');
  expect(soundOf('pcm_bluray', 16)).toBe('pcm_s32le');
});

const NOTHING = { picture: false, sound: false, soundEnd: false };

test('what does not come over is read another way, until none is left', () => {
  const own = { ...probeOf({ video: {}, audio: {} }), format: 'mpegts' };
  const first = firstWay(own);
  expect(nextWay({ way: first, lacks: NOTHING }, [first], own)).toBeUndefined();
  const second = nextWay({ way: first, lacks: { ...NOTHING, picture: true } }, [first], own)!;
  expect(second).toEqual({ reading: 'as it is', picture: 'lossless', sound: 'copy' });
  const noEnd = { picture: false, sound: true, soundEnd: true };
  const third = nextWay({ way: second, lacks: noEnd }, [first, second], own)!;
  expect(third).toEqual({ reading: 'as it is', picture: 'lossless', sound: 'flac' });
  const all = [first, second, third];
  expect(nextWay({ way: third, lacks: { ...noEnd, picture: true } }, all, own)).toBeUndefined();
  // A decoder would fill a gap with silence, and nobody would hear of it.
  expect(nextWay({ way: first, lacks: { ...noEnd, soundEnd: false } }, [first], own)).toBeUndefined();
});

test('only a fragmented MP4 is read with its runs apart, and no further where that brings nothing', () => {
  const whole = probeOf({ video: {}, audio: {} });
  const inFragments = probeOf({ video: { frameCount: undefined } });
  const first = firstWay(whole);
  const lacking = { way: first, lacks: { ...NOTHING, picture: true } };
  const apart = { ...first, reading: 'runs apart' };
  const lossless = { ...first, picture: 'lossless' };
  expect(nextWay(lacking, [first], whole)).toEqual(lossless);
  expect(nextWay(lacking, [first], inFragments)).toEqual(apart);
  expect(nextWay(lacking, [first, apart as CopyWay], inFragments)).toEqual(lossless);
});

test('a record of a copy that was never compared has no notices, and no way in which to make it again', () => {
  const former = { version: 1, sizeBytes: 9, tracks: [TRACK] };
  expect(MEZZANINE.parse(former, 'key')).toEqual({ sizeBytes: 9, tracks: [TRACK], notices: [], way: null });
});

describe('a function that ends after 15 minutes', () => {
  const copied = firstWay(probe);
  const lossless: CopyWay = { ...copied, picture: 'lossless' };
  const GIB = 1024 ** 3;

  test.each([
    // Reading alone is given so long: a minute, and a second for each 4 MiB.
    ['a small source', 4 * 1024 ** 2, 900, 61],
    ['a large one', 10 * GIB, 900, 780],
    ['a large one, where nobody ends the process', 10 * GIB, Infinity, 2620],
    ['one that is met when time is nearly up', 10 * GIB, 30, 1],
  ])('has the first copy of %s end before itself', (_, sizeBytes, secondsLeft, seconds) => {
    expect(firstCopySeconds(sizeBytes, secondsLeft)).toBe(seconds);
  });

  test('gives a copy that is made again as long as it once took, if it lives so long', () => {
    expect(lostCopySeconds(GIB, Infinity)).toBe(660);
    expect(lostCopySeconds(GIB, 300)).toBe(180);
  });

  test('starts no copy that it cannot end', () => {
    expect(furtherCopySeconds(lossless, GIB, 600)).toBe(600);
    // One that took all its time is the last.
    expect(furtherCopySeconds(lossless, GIB, -1)).toBeUndefined();
    expect(furtherCopySeconds(lossless, GIB, 100)).toBeUndefined();
    expect(furtherCopySeconds(lossless, 100 * GIB, 600)).toBeUndefined();
    expect(furtherCopySeconds(copied, GIB, 100)).toBe(100);
    expect(furtherCopySeconds(copied, 1, 600)).toBeCloseTo(60);
  });

  test.each([
    ['a small source', copied, 1],
    ['the largest source that is decoded', lossless, 4 * GIB],
    ['a film of 100 GiB', copied, 100 * GIB],
  ])('holds a few pieces of %s in its memory', (_, way, sizeBytes) => {
    const pieceBytes = pieceBytesOf(way, sizeBytes);
    expect(pieceBytes).toBeGreaterThanOrEqual(MIN_PART_BYTES);
    expect(pieceBytes).toBeLessThanOrEqual(64 * 1024 ** 2);
    expect(pieceBytes * MAX_PARTS).toBeGreaterThan(sizeBytes * (way === lossless ? 40 : 3));
  });
});
