import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import {
  NO_SESSION_COOKIE,
  SESSION_COOKIE,
  sessionAuthorization,
  sessionCookie,
} from '../../core/access/session.ts';

// The same cases for both: the rule of core, which `npm start` uses, and the one at the edge.

const KEY = 'k3y';
const COOKIE = `${SESSION_COOKIE}=${KEY}`;

type Headers = Record<string, string>;
const CASES: [string, Headers, string | undefined][] = [
  ['of our own page', { cookie: COOKIE, 'sec-fetch-site': 'same-origin' }, `Bearer ${KEY}`],
  [
    'among other cookies',
    { cookie: `a=b; ${COOKIE}; c=d=e`, 'sec-fetch-site': 'same-origin' },
    `Bearer ${KEY}`,
  ],
  ['of another host of our site', { cookie: COOKIE, 'sec-fetch-site': 'same-site' }, undefined],
  ['of another site', { cookie: COOKIE, 'sec-fetch-site': 'cross-site' }, undefined],
  ['typed into the address bar', { cookie: COOKIE, 'sec-fetch-site': 'none' }, undefined],
  ['that does not say whose it is', { cookie: COOKIE }, undefined],
  ['without the cookie', { cookie: 'a=b', 'sec-fetch-site': 'same-origin' }, undefined],
  ['with an empty cookie', { cookie: `${SESSION_COOKIE}=`, 'sec-fetch-site': 'same-origin' }, undefined],
  ['with a cookie of a name like it', { cookie: `x${COOKIE}`, 'sec-fetch-site': 'same-origin' }, undefined],
];

test.each(CASES)('a request %s', (_, headers, authorization) => {
  expect(sessionAuthorization(headers)).toBe(authorization);
  expect(atTheEdge(headers).headers['authorization']?.value).toBe(authorization);
});

test('at the edge, a header of its own wins, and nobody behind sees the cookie', () => {
  const request = atTheEdge({
    cookie: `a=b; ${COOKIE}`,
    'sec-fetch-site': 'same-origin',
    authorization: 'Bearer other',
  });
  expect(request.headers['authorization']).toEqual({ value: 'Bearer other' });
  expect(request.cookies).toEqual({ a: { value: 'b' } });
});

test.each([
  ['Bearer abcDEF123', `${SESSION_COOKIE}=abcDEF123;`],
  ['Bearer ey.J_-~+/=', `${SESSION_COOKIE}=ey.J_-~+/=;`],
])('%s is kept as %s', (authorization, start) => {
  expect(sessionCookie(authorization).startsWith(start)).toBe(true);
});

test.each(['', 'Basic abc', 'Bearer ', 'Bearer a b', 'Bearer a;b', `Bearer ${'a'.repeat(4000)}`])(
  '%j cannot be kept',
  (authorization) => {
    expect(() => sessionCookie(authorization)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  },
);

test('what ends a session ends the very cookie that began it', () => {
  const attributes = (cookie: string) => cookie.split('; ').slice(2);
  expect(attributes(NO_SESSION_COOKIE)).toEqual(attributes(sessionCookie('Bearer a')));
});

interface EdgeRequest {
  headers: Record<string, { value: string }>;
  cookies: Record<string, { value: string }>;
}

/** CloudFront hands headers and cookies over apart. Source: AWS, "CloudFront Functions event structure". */
function atTheEdge({ cookie, ...headers }: Headers): EdgeRequest {
  const handler = runInNewContext(
    `${readFileSync(join(import.meta.dirname, '../../lib/session.cf.js'), 'utf8')}; handler`,
  ) as (event: { request: EdgeRequest }) => EdgeRequest;
  const named = (pairs: string[][]) =>
    Object.fromEntries(pairs.map(([name, value]) => [name, { value: value! }]));
  return handler({
    request: {
      headers: named(Object.entries(headers)),
      cookies: named((cookie?.split('; ') ?? []).map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
    },
  });
}
