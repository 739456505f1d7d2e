// docs/sources.md promises what test/sources tries.

import { readFileSync } from 'node:fs';
import { KINDS } from '../support/kinds.ts';

test('the table of containers and codecs is that of the kinds which are tested', () => {
  const page = readFileSync('docs/sources.md', 'utf8');
  const found = /<!-- table: kinds -->\n\n([^]*?)\n\n<!-- end -->/.exec(page)?.[1];
  const rows = KINDS.map(({ container, video, audio, isCopied }) => [
    container,
    video,
    audio,
    isCopied ? 'yes' : 'no',
  ]);
  const table = [['container', 'picture', 'sound', 'copied first'], Array<string>(4).fill('---'), ...rows];
  expect(found).toBe(table.map((cells) => `| ${cells.join(' | ')} |`).join('\n'));
});
