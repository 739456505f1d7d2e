// A source that holds less than it says is found by its lengths, where what it says can be believed.

import { earlyEnds } from '../../core/source/early-end.ts';
import type { Probe } from '../../core/source/probe.ts';
import { probeOf } from '../support/probes.ts';

const claimed = probeOf({ video: {}, audio: { durationSeconds: 10, frameCount: 469 } });

/** A source of ten seconds, of which so much was found. */
const found = (video: object, audio: object = {}): Probe => ({
  ...claimed,
  video: { ...claimed.video!, ...video },
  audio: { ...claimed.audio!, ...audio },
});
const told = (...args: Parameters<typeof earlyEnds>) =>
  earlyEnds(...args).map(({ track, message }) => [track, message]);

test('a track that ends clearly early is told of', () => {
  expect(told(claimed, found({ durationSeconds: 5 }), false)).toEqual([
    ['video-0', 'The picture ends early: about 5 of 10 seconds are there.'],
  ]);
  expect(told(claimed, found({}, { durationSeconds: 3, frameCount: 141 }), true)).toEqual([
    ['audio-0', 'The sound ends early: about 3 of 10 seconds are there.'],
  ]);
});

test.each([
  ['is a second short', claimed, found({ durationSeconds: 9.1 }), false],
  [
    'holds all its pictures, the last of which was shown for long',
    claimed,
    found({ durationSeconds: 5 }),
    true,
  ],
  [
    'is of a kind whose length is guessed',
    { ...claimed, format: 'mpegts' },
    found({ durationSeconds: 5 }),
    false,
  ],
  [
    'is sound of the largest length there is',
    { ...probeOf({ audio: { durationSeconds: 24_000, sampleRate: 44_100, channels: 2 } }), format: 'wav' },
    probeOf({ audio: { durationSeconds: 5 } }),
    false,
  ],
])('nothing is said of a source that %s', (_, source, length, isCopied) => {
  expect(earlyEnds(source, length, isCopied)).toEqual([]);
});

test('a length of the whole is that of its longest track', () => {
  const unsaid: Probe = {
    ...claimed,
    format: 'matroska,webm',
    video: { ...claimed.video!, durationSeconds: undefined, frameCount: undefined },
    audio: { ...claimed.audio!, durationSeconds: undefined, frameCount: undefined },
  };
  expect(earlyEnds(unsaid, found({ durationSeconds: 5 }, { durationSeconds: 10 }), true)).toEqual([]);
  expect(earlyEnds(unsaid, found({ durationSeconds: 5 }, { durationSeconds: 5 }), true)).toHaveLength(2);
});
