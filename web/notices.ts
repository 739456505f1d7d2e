// What a video lacks of its file, for people.

import type { Video } from './api.ts';
import { h, icon } from './dom.ts';

type Notices = Video['notices'];

const KINDS: Record<string, string> = { video: 'Picture', audio: 'Sound', text: 'Subtitles' };

/** A sentence for each, with the kind of track before it where it is of one; the same is not said twice. */
export const noticeLines = (notices: Notices): string[] => [
  ...new Set(
    notices.map(({ track, message }) => {
      const name = track === null ? undefined : trackName(track);
      return name === undefined ? message : `${name}: ${message}`;
    }),
  ),
];

/** `audio-0` is the sound, `audio-1` is sound 2. */
function trackName(track: string): string | undefined {
  const [, kind, number] = /^([a-z]+)-(\d+)$/.exec(track) ?? [];
  const name = KINDS[kind ?? ''];
  return name && (number === '0' ? name : `${name} ${Number(number) + 1}`);
}

export const NOTICES_TITLE = 'Not everything in the file can be played';

/** Nothing where nothing is missing. */
export const noticeList = ({ notices }: Pick<Video, 'notices'>): HTMLElement | false =>
  notices.length > 0 &&
  h(
    'section',
    { class: 'lacks', id: 'notices', 'aria-labelledby': 'notices-title' },
    icon('alert'),
    h(
      'div',
      {},
      h('p', { id: 'notices-title' }, NOTICES_TITLE),
      h('ul', {}, ...noticeLines(notices).map((line) => h('li', {}, line))),
    ),
  );
