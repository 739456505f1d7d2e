import { admittedPath, playbackToken } from '../../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../../core/access/playback-token.ts';
import { edge } from '../support/edge.ts';
import type { EdgeResponse } from '../support/edge.ts';

// The same cases for both checks: the one of core, which `npm start` uses, and the one at the edge.

const NOW = new Date('2026-03-01T12:00:00Z');
const IN_AN_HOUR = new Date('2026-03-01T13:00:00Z');
const ID = '0z9x8c7v6b5n4m3a2s1d0f9g8h7j6k5l4q';
const OTHER_ID = '0z9x8c7v6b5n4m3a2s1d0f9g8h7j6k5l4r';
const SECRETS: PlaybackSecrets = { current: 'a', a: 'first secret' };
const TOKEN = playbackToken(ID, IN_AN_HOUR, SECRETS);

type Verdict = { admitted: string; refused?: never } | { refused: string; admitted?: never };
const NONE: Verdict = { refused: 'The address holds no playback token.' };
const EXPIRED: Verdict = { refused: 'The playback token has expired.' };
const INVALID: Verdict = { refused: 'The playback token is not valid.' };

const CASES: [string, string, PlaybackSecrets, Date, Verdict][] = [
  ['a valid token', `/v/${TOKEN}/${ID}/master.m3u8`, SECRETS, NOW, { admitted: `/v/${ID}/master.m3u8` }],
  [
    'a segment, by the URL relative to its playlist',
    `/v/${TOKEN}/${ID}/0123456789/720p/00042.ts`,
    SECRETS,
    NOW,
    { admitted: `/v/${ID}/0123456789/720p/00042.ts` },
  ],
  [
    'a picture, by the URL relative to the playlist',
    `/v/${TOKEN}/${ID}/0123456789/thumb/12.jpg`,
    SECRETS,
    NOW,
    { admitted: `/v/${ID}/0123456789/thumb/12.jpg` },
  ],
  [
    'in its last second',
    `/v/${TOKEN}/${ID}/master.m3u8`,
    SECRETS,
    new Date(IN_AN_HOUR.getTime() - 1),
    { admitted: `/v/${ID}/master.m3u8` },
  ],
  ['expired', `/v/${TOKEN}/${ID}/master.m3u8`, SECRETS, IN_AN_HOUR, EXPIRED],
  ["another video's", `/v/${TOKEN}/${OTHER_ID}/master.m3u8`, SECRETS, NOW, INVALID],
  ['none', `/v/${ID}/master.m3u8`, SECRETS, NOW, NONE],
  ['empty', `/v//${ID}/master.m3u8`, SECRETS, NOW, NONE],
  [
    'prolonged by hand',
    `/v/${TOKEN.replace(/\.\d+\./, '.2000000000.')}/${ID}/master.m3u8`,
    SECRETS,
    NOW,
    INVALID,
  ],
  ['one letter changed', `/v/${changedLast(TOKEN)}/${ID}/master.m3u8`, SECRETS, NOW, INVALID],
  [
    'of the other secret',
    `/v/${TOKEN.replace(/^a/, 'b')}/${ID}/master.m3u8`,
    { ...SECRETS, b: 'second' },
    NOW,
    INVALID,
  ],
  [
    'of a secret that is not there',
    `/v/${TOKEN.replace(/^a/, 'b')}/${ID}/master.m3u8`,
    SECRETS,
    NOW,
    INVALID,
  ],
  ['of a secret of no such name', `/v/${TOKEN.replace(/^a/, 'c')}/${ID}/master.m3u8`, SECRETS, NOW, NONE],
  [
    'made before the last rotation',
    `/v/${TOKEN}/${ID}/master.m3u8`,
    { current: 'b', a: 'first secret', b: 'second' },
    NOW,
    { admitted: `/v/${ID}/master.m3u8` },
  ],
  [
    'made before the last but one',
    `/v/${TOKEN}/${ID}/master.m3u8`,
    { current: 'a', a: 'third', b: 'second' },
    NOW,
    INVALID,
  ],
  ['with a path that climbs before the id', `/v/${TOKEN}/../${ID}/master.m3u8`, SECRETS, NOW, NONE],
  [
    'with a path that climbs to another video',
    `/v/${TOKEN}/${ID}/../${OTHER_ID}/master.m3u8`,
    SECRETS,
    NOW,
    NONE,
  ],
  [
    'with a path that climbs in disguise',
    `/v/${TOKEN}/${ID}/%2e%2E/${OTHER_ID}/master.m3u8`,
    SECRETS,
    NOW,
    NONE,
  ],
  ['with a path that climbs by backslashes', `/v/${TOKEN}/${ID}/..\\${OTHER_ID}/x.ts`, SECRETS, NOW, NONE],
  ['with nothing after the id', `/v/${TOKEN}/${ID}`, SECRETS, NOW, NONE],
  ['with a folder at the end', `/v/${TOKEN}/${ID}/`, SECRETS, NOW, NONE],
];

test.each(CASES)('a token, %s: at the edge', async (_, uri, { a, b }, now, { admitted, refused }) => {
  const handler = await edge('playback-token', { a, b }, now);
  const result = await handler({ request: { method: 'GET', uri } });
  if (admitted) return expect(result).toEqual({ method: 'GET', uri: admitted });
  expect(result).toMatchObject({
    statusCode: 403,
    headers: { 'cache-control': { value: 'no-store' }, 'access-control-allow-origin': { value: '*' } },
  });
  expect(JSON.parse((result as EdgeResponse).body.data)).toEqual({ code: 'FORBIDDEN', message: refused });
});

test.each(CASES)('a token, %s: in core', (_, path, secrets, now, { admitted, refused }) => {
  const check = () => admittedPath(path, now, secrets);
  if (admitted) return expect(check()).toBe(admitted);
  expect(check).toThrow(expect.objectContaining({ status: 403, code: 'FORBIDDEN', message: refused }));
});

test('a token can be a part of a path, and says which secret and how long', () => {
  expect(TOKEN).toMatch(/^a\.1772370000\.[\w-]{43}$/);
  expect(encodeURIComponent(TOKEN)).toBe(TOKEN);
});

test('no token is made where the current secret is missing', () => {
  expect(() => playbackToken(ID, IN_AN_HOUR, { current: 'b', a: 'first secret' })).toThrow(
    'no playback secret b',
  );
});

function changedLast(token: string): string {
  return token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1);
}
