// What an operator pastes into a shell. That the names in it are those of the stack, test/lib/template.test.ts shows.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const page = readFileSync('docs/operations.md', 'utf8');
const checklist = page.slice(page.indexOf('## After the first deployment'), page.indexOf('## Settings'));
/** Indented by four blanks, as all commands of the page are. */
const commands = (text: string) =>
  [...text.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, ''));

test('the checklist is numbered without a gap, and each step has commands and a remedy', () => {
  const steps = checklist.split(/^(?=\*\*\d+\. )/m).slice(1);
  expect(steps.map((step) => Number(/^\*\*(\d+)/.exec(step)![1]))).toEqual(
    steps.map((_, index) => index + 1),
  );
  expect(steps.length).toBeGreaterThan(8);
  for (const step of steps) {
    const [title] = step.split('\n');
    expect([title, step]).toEqual([title, expect.stringMatching(/\*If not/)]);
    expect([title, step]).toEqual([title, expect.stringMatching(/^ {4}\S|`aws /m)]);
  }
});

test.each(commands(checklist))('a shell understands: %s', (block) => {
  expect(() => execFileSync('bash', ['-n'], { input: block, stdio: 'pipe' })).not.toThrow();
});

test('its links lead to headings of the page', () => {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link!);
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter((link) => !headings.includes(link))).toEqual([]);
});
