import { decodersOf, usableStreams } from '../../core/source/decodable.ts';
import type { FfprobeStream } from '../../core/source/probe.ts';

const LIMITS = { maxStreams: 4, maxPicturePixels: 1920 * 1080 };
const DECODERS = new Set(['h264', 'aac']);
const picture = { index: 0, codec_type: 'video', codec_name: 'h264', width: 1920, height: 1080 };
const sound = { index: 1, codec_type: 'audio', codec_name: 'aac', sample_rate: '48000' };
const usable = (...streams: FfprobeStream[]) =>
  usableStreams({ streams }, DECODERS, LIMITS).streams!.map(({ index }) => index);

test('a source within its limits is used as it is', () => {
  expect(usable(picture, sound, { index: 2, codec_type: 'data' })).toEqual([0, 1, 2]);
});

test.each([
  ['too many tracks', [picture, sound, sound, sound, sound], 'TOO_MANY_STREAMS', 'more than 4 tracks'],
  ['65,535 × 65,535', [{ ...picture, width: 65_535, height: 65_535 }], 'PICTURE_TOO_LARGE', '65535 × 65535'],
  [
    'a small picture cut from a huge one',
    [{ ...picture, coded_height: 9000 }],
    'PICTURE_TOO_LARGE',
    '× 9000',
  ],
  ['a codec with a name', [{ ...picture, codec_name: 'vvc' }], 'UNSUPPORTED_CODEC', 'picture .*: vvc\\.'],
  [
    'a codec without a name',
    [{ index: 0, codec_type: 'audio', codec_tag_string: 'apac' }],
    'UNSUPPORTED_CODEC',
    'sound .*: apac\\.',
  ],
  ['a track with the id of a key', [{ ...picture, tags: { enc_key_id: 'AQ==' } }], 'ENCRYPTED', 'encrypted'],
] as const)('%s: refused', (_, streams, code, words) => {
  const refused = expect(() => usable(...streams));
  refused.toThrow(expect.objectContaining({ code }));
  refused.toThrow(new RegExp(words));
});

test('a track that cannot be decoded is left out where another of its kind can be', () => {
  expect(usable(picture, { ...sound, codec_name: 'unknown' }, { ...sound, index: 2 })).toEqual([0, 2]);
});

test('a sound that ffmpeg does not find in this file is left out beside a picture, with a notice', () => {
  const seen = new Map([
    [0, { kind: 'video', codec: 'h264' }],
    [1, { kind: 'audio', codec: 'none' }],
  ]);
  const { streams, notices } = usableStreams({ streams: [picture, sound] }, DECODERS, LIMITS, seen);
  expect(streams).toEqual([picture]);
  expect(notices.map(({ code }) => code)).toEqual(['TRACK_LEFT_OUT']);
  expect(() => usableStreams({ streams: [sound] }, DECODERS, LIMITS, seen)).toThrow('cannot decode: aac.');
});

test('sound at a rate that none has is left out beside a picture, and refused alone, by its rate', () => {
  const absurd = { ...sound, sample_rate: '536915012' };
  const { streams, notices } = usableStreams({ streams: [picture, absurd] }, DECODERS, LIMITS);
  expect(streams).toEqual([picture]);
  expect(notices.map(({ message }) => message)).toEqual([expect.stringContaining('aac at 536915012 Hz')]);
  expect(() => usableStreams({ streams: [absurd] }, DECODERS, LIMITS)).toThrow('aac at 536915012 Hz');
});

test('a cover that cannot be decoded is left out', () => {
  const cover = { ...picture, codec_name: 'webp', width: 9000, disposition: { attached_pic: 1 } };
  expect(usable(cover, sound)).toEqual([1]);
});

test('the decoders are those that ffmpeg lists as such', () => {
  const listing = ` -------
 D.VI.S 012v                 Uncompressed 4:2:2 10-bit
 .EVIL. a64_multi            Multicolor charset for Commodore 64 (encoders: a64multi )
 DEV.LS h264                 H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10
 DEA.L. aac                  AAC (Advanced Audio Coding)
 DES... ass                  ASS (Advanced SSA) subtitle`;
  expect([...decodersOf(listing)]).toEqual(['012v', 'h264', 'aac']);
});
