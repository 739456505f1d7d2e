import { noticeLines } from '../../web/notices.ts';

test('each notice says of which track it is, in words', () => {
  expect(
    noticeLines([
      { code: 'TRACK_LEFT_OUT', track: 'audio-0', message: 'It was left out.' },
      { code: 'TRACK_LEFT_OUT', track: 'audio-1', message: 'It was left out.' },
      { code: 'MEDIA_LOST', track: 'video-0', message: 'Parts cannot be decoded.' },
      { code: 'ENDS_EARLY', track: null, message: 'The file holds less than it says it does.' },
      { code: 'TRACK_LEFT_OUT', track: 'hologram-0', message: 'It was left out.' },
    ]),
  ).toEqual([
    'Sound: It was left out.',
    'Sound 2: It was left out.',
    'Picture: Parts cannot be decoded.',
    'The file holds less than it says it does.',
    'It was left out.',
  ]);
});

test('the same is said once', () => {
  const lost = { code: 'MEDIA_LOST', track: 'video-0', message: 'Parts cannot be decoded.' } as const;
  expect(noticeLines([lost, lost])).toEqual(['Picture: Parts cannot be decoded.']);
  expect(noticeLines([])).toEqual([]);
});
