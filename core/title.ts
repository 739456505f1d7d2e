// A video's title as it is shown. It is the name of a file, which anyone may have chosen, and stands in lists, pages and
// link previews of other sites: there it must stay on its line and leave the order of what is around it alone. Markup is
// for whoever writes it into a page to escape.

/**
 * What ends a line: tab, line feed, vertical tab, form feed, carriage return, next line, and Unicode's line and paragraph
 * separators (UAX #14, mandatory breaks). A space says the same within one line.
 */
const BREAKS = /[\t-\r\x85\u2028\u2029]+/g;

/**
 * What is not seen and changes how other characters are read:
 * - the control characters (C0, DEL, C1), which terminals and logs obey;
 * - the bidirectional marks, embeddings, overrides and isolates (UAX #9), which show `gpj.exe` as `exe.jpg`, and without
 *   their end reach into what follows; Hebrew and Arabic are put in order by their letters;
 * - the deprecated format characters U+206A to U+206F, which mirror and reshape;
 * - interlinear annotations, which hide the text between them, and the byte order mark, which is no text.
 *
 * Zero-width joiner and non-joiner stay: families of emoji, Persian and the scripts of India are spelt with them. So do
 * variation selectors, and the tags that flags of regions consist of.
 */
const UNSEEN = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]+/g;

/** Halves of pairs only: where a pattern is one of Unicode, a pair is one character. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** What stands for a title where nobody knows one, or nothing of it would be seen. */
export const UNTITLED = 'Untitled';

/** Empty for a name of which nothing would be seen. Half a surrogate pair becomes U+FFFD. */
export function shownTitle(filename: string): string {
  const whole = filename.replace(LONE_SURROGATE, '\ufffd');
  const shown = whole.replace(BREAKS, ' ').replace(UNSEEN, '').trim();
  return /[^\p{White_Space}\p{Default_Ignorable_Code_Point}]/u.test(shown) ? shown : '';
}
