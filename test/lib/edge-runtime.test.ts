// What CloudFront Functions do not understand would be found out by the first viewers.

import { transformSync } from 'esbuild';
import { edgeSource } from '../support/edge.ts';

const FUNCTIONS = ['playback-token', 'video-id', 'session'];

test.each(FUNCTIONS)('%s has less than 10 KB of source', (name) => {
  expect(Buffer.byteLength(edgeSource(name))).toBeLessThan(10_240);
});

test.each(FUNCTIONS)('%s has no syntax beyond ES5 but what the runtime lists', (name) => {
  // Lowered to ES5, apart from what the documentation of runtime 2.0 lists, it must stay as it is.
  const runtime = {
    ...{ 'const-and-let': true, arrow: true, 'template-literal': true, 'async-await': true },
    ...{ 'exponent-operator': true, 'rest-argument': true, 'regexp-named-capture-groups': true },
  };
  const print = (target: string, supported: Record<string, boolean>) =>
    transformSync(edgeSource(name), { target, supported, format: 'esm' }).code;
  expect(print('es5', runtime)).toBe(print('esnext', { 'object-extensions': false }));
});

test('a fault in that test would be found', () => {
  expect(() =>
    transformSync('const { a } = b', { target: 'es5', supported: { 'const-and-let': true } }),
  ).toThrow('destructuring');
});
