// docs/errors.md is written by people for people, and says what the code does.

import { globSync, readFileSync } from 'node:fs';
import {
  OUTAGE_CODES,
  OutageError,
  RECORD_ERROR_CODES,
  RecordError,
  SOURCE_ERROR_SENTENCES,
} from '../../core/errors.ts';
import { NOTICE_SENTENCES } from '../../core/notices.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const section = (title: string): string => page.split(`## ${title}\n`)[1]!.split('\n## ')[0]!;
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (code|status|variable) /.test(line))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
        .slice(1),
    );

test('every code for which a source is refused is documented with its sentence, and no other', () => {
  const documented = rows(section('A source that was refused')).map(([code, sentence]) => [code, sentence]);
  expect(Object.fromEntries(documented)).toEqual({
    ...SOURCE_ERROR_SENTENCES,
    ENCODING_FAILED: 'Not all of the video could be prepared. It will be tried again.',
  });
});

test('every notice is documented with its sentence, and no other', () => {
  const documented = rows(section('What a video lacks')).map(([code, sentence]) => [code, sentence]);
  expect(Object.fromEntries(documented)).toEqual(NOTICE_SENTENCES);
});

test('every code with which a request is refused is documented with its status, and no other', () => {
  const used = new Set(['500 INTERNAL', '503 STARTING']);
  for (const name of RECORD_ERROR_CODES) used.add(`${new RecordError(name, '', '').status} ${name}`);
  for (const code of OUTAGE_CODES) used.add(`${new OutageError(code).status} ${code}`);
  for (const path of globSync('{core,machine,pipeline,adapters,lambdas,local}/**/*.ts')) {
    const code = readFileSync(path, 'utf8');
    for (const [, status, name] of code.matchAll(/new RequestError\(\s*(\d{3}),\s*'([A-Z_]+)'/g))
      used.add(`${status} ${name}`);
  }
  const documented = rows(section('A request that was refused')).map(([status, code]) => `${status} ${code}`);
  expect(documented.sort()).toEqual([...used].sort());
});

test('every limit that the environment can set is documented, and no other', () => {
  const used = new Set<string>();
  for (const path of globSync('lambdas/*.ts')) {
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/numberFromEnv\(\s*'(MAX_\w+)'/g))
      used.add(name!);
  }
  expect(
    rows(section('Limits'))
      .map(([name]) => name)
      .sort(),
  ).toEqual([...used].sort());
});
