import { shownTitle } from '../../core/title.ts';

test.each([
  ['a line separator', 'one\u2028two', 'one two'],
  ['a paragraph separator', 'one\u2029two', 'one two'],
  ['line feeds, carriage returns and tabs', 'one\r\n\ttwo', 'one two'],
  ['next line', 'one\u0085two', 'one two'],
  ['an override', 'photo\u202Egpj.exe', 'photogpj.exe'],
  ['an embedding that does not end', '\u202Bfilm', 'film'],
  ['isolates', 'a\u2067b\u2069c', 'abc'],
  ['marks of direction', '\u200Ea\u200Fb\u061Cc', 'abc'],
  ['control characters', '\0a\u001B[31mb\u007F\u009Bc', 'a[31mbc'],
  ['deprecated format characters', 'a\u206Ab\u206Fc', 'abc'],
  ['an annotation', 'a\uFFF9b\uFFFAc\uFFFBd', 'abcd'],
  ['a byte order mark', '\uFEFFfilm', 'film'],
  ['half a surrogate pair', 'a\uD800b\uDC00', 'a\uFFFDb\uFFFD'],
  ['spaces around it', ' \u2028film ', 'film'],
  ['nothing that is seen', '\u200B\u202E\u200D\n', ''],
])('%s is not shown: %j', (_, filename, title) => {
  expect(shownTitle(filename)).toBe(title);
});

test.each([
  ['a family', '👨\u200D👩\u200D👧.mp4'],
  ['a flag of a region', '🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}'],
  ['a heart in colour', '❤\uFE0F'],
  ['Persian', 'می\u200Cخواهم.mp4'],
  ['Hebrew', 'שלום 2.mp4'],
  ['Sinhala', 'ශ්\u200Dරී'],
  ['accents of their own', 'Fe\u0302te'],
  ['markup', '<b>"Tom" & Jerry</b>'],
])('%s stays as it is: %s', (_, filename) => {
  expect(shownTitle(filename)).toBe(filename);
});
