import {
  clockText,
  dateText,
  percentText,
  rateText,
  sizeText,
  spokenDuration,
  timeLeftText,
} from '../../web/format.ts';

test.each([
  [0, '0 %'],
  [0.379, '37 %'],
  [0.9999, '99 %'], // not ready yet
  [1, '100 %'],
  [1.2, '100 %'],
])('a share of %d reads %s', (share, text) => {
  expect(percentText(share)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KB'],
  [9_420_000, '9.4 MB'],
  [9_960_000, '10 MB'],
  [999_600, '1.0 MB'],
  [1_260_000_000, '1.3 GB'],
  [5 * 1024 ** 4, '5.5 TB'],
])('%d bytes read %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test('a rate is a size per second', () => {
  expect(rateText(12_400_000)).toBe('12 MB/s');
});

test.each([
  [0.2, '0:00', '0 seconds'],
  [7, '0:07', '7 seconds'],
  [59.7, '1:00', '1 minute'],
  [754, '12:34', '12 minutes 34 seconds'],
  [3723, '1:02:03', '1 hour 2 minutes 3 seconds'],
])('%d seconds show as %s and are spoken as %s', (seconds, clock, spoken) => {
  expect([clockText(seconds), spokenDuration(seconds)]).toEqual([clock, spoken]);
});

test.each([
  [0.2, '1 s left'],
  [8.4, '9 s left'],
  [55, '1 min left'],
  [200, '3 min left'],
  [3570, '1 h 0 min left'],
  [4800, '1 h 20 min left'],
])('%d seconds to go read %s', (seconds, text) => {
  expect(timeLeftText(seconds)).toBe(text);
});

test('dates are told as people tell them', () => {
  const now = new Date(2026, 2, 1, 15, 0);
  const texts = [new Date(2026, 2, 1, 9, 5), new Date(2026, 1, 28, 23, 59), new Date(2026, 1, 27, 12, 0)].map(
    (date) => dateText(date, now),
  );
  expect(texts).toEqual(['Today, 09:05', 'Yesterday, 23:59', '27 Feb 2026']);
});
