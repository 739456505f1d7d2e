import { playbackSecret } from '../../lib/playback-secret.lambda.ts';
import type { EdgeSecrets, RotationEvent, SecretVersions } from '../../lib/playback-secret.lambda.ts';
import { admittedPath, playbackToken } from '../../core/access/playback-token.ts';
import type { PlaybackSecrets } from '../../core/access/playback-token.ts';

const ID = '0z9x8c7v6b5n4m3a2s1d0f9g8h7j6k5l4q';
const NOW = new Date('2026-03-01T12:00:00Z');
const IN_AN_HOUR = new Date('2026-03-01T13:00:00Z');
const SECRET = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:playback';
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** Secrets Manager and the edge, as far as the rotation knows them. */
function stores(secrets: PlaybackSecrets) {
  const versions = new Map([['first', secrets]]);
  let current = 'first';
  /** Secrets Manager names a version before it calls the first step. */
  const named = new Set<string>();
  const edge = new Map<string, string>();
  const secretVersions: SecretVersions = {
    current: async () => versions.get(current)!,
    pending: async (version) => (version === current ? undefined : versions.get(version)),
    addPending: async (version, added) => void versions.set(version, added),
    stagesOf: async (version) => {
      if (version === current) return ['AWSCURRENT'];
      return named.has(version) ? ['AWSPENDING'] : [];
    },
    promote: async (version) => void (current = version),
  };
  const edgeSecrets: EdgeSecrets = {
    get: async (name) => edge.get(name),
    put: async (name, secret) => void edge.set(name, secret),
  };
  const handler = playbackSecret(secretVersions, edgeSecrets, { secretArn: SECRET, waitMs: 0 });
  const step = (Step: (typeof STEPS)[number], version: string) => {
    named.add(version);
    return handler({ SecretId: SECRET, Step, ClientRequestToken: version });
  };
  return {
    handler,
    step,
    edge,
    current: () => versions.get(current)!,
    edgeSecrets: (): PlaybackSecrets => ({ current: 'a', ...Object.fromEntries(edge) }),
    rotate: async (version: string, repeat = 1) => {
      for (const Step of STEPS) {
        for (let time = 0; time < repeat; time += 1) await step(Step, version);
      }
    },
  };
}

function plays(token: string, secrets: PlaybackSecrets): boolean {
  try {
    return admittedPath(`/v/${token}/${ID}/master.m3u8`, NOW, secrets) !== '';
  } catch (error) {
    expect(error).toMatchObject({ status: 403 });
    return false;
  }
}

test('at deploy the edge gets what it lacks', async () => {
  const { handler, edge } = stores({ current: 'a', a: 'generated' });
  await handler({});
  expect(Object.fromEntries(edge)).toEqual({ a: 'generated' });
});

test('at deploy the edge keeps what it has: a rotation may be ahead', async () => {
  const { handler, edge } = stores({ current: 'a', a: 'generated', b: 'old' });
  edge.set('b', 'pending');
  await handler({});
  expect(Object.fromEntries(edge)).toEqual({ a: 'generated', b: 'pending' });
});

test('a rotation leaves the tokens of the one before valid, two do not', async () => {
  const system = stores({ current: 'a', a: 'generated' });
  await system.handler({});
  const token = playbackToken(ID, IN_AN_HOUR, system.current());

  await system.rotate('second');
  expect(system.current()).toEqual({
    current: 'b',
    a: 'generated',
    b: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(plays(token, system.edgeSecrets())).toBe(true);
  expect(plays(playbackToken(ID, IN_AN_HOUR, system.current()), system.edgeSecrets())).toBe(true);

  await system.rotate('third');
  expect(plays(token, system.edgeSecrets())).toBe(false);
  expect(plays(playbackToken(ID, IN_AN_HOUR, system.current()), system.edgeSecrets())).toBe(true);
});

test.each([0, 1, 2, 3])(
  'stopped after step %i, a rotation harms no token, and can be run again',
  async (steps) => {
    const system = stores({ current: 'a', a: 'generated' });
    await system.handler({});
    for (const Step of STEPS.slice(0, steps)) await system.step(Step, 'second');
    const token = playbackToken(ID, IN_AN_HOUR, system.current());
    expect(plays(token, system.edgeSecrets())).toBe(true);
    await system.rotate('second');
    expect(plays(token, system.edgeSecrets())).toBe(true);
    expect(system.current().current).toBe('b');
  },
);

test('every step may run twice', async () => {
  const system = stores({ current: 'a', a: 'generated' });
  await system.rotate('second', 2);
  const { a, b } = system.current();
  expect(system.current()).toEqual({ current: 'b', a: 'generated', b: expect.any(String) });
  expect(system.edgeSecrets()).toMatchObject({ a, b });
});

test('a rotation fails where the edge does not hold the new secret', async () => {
  const system = stores({ current: 'a', a: 'generated' });
  await system.step('createSecret', 'second');
  await expect(system.step('testSecret', 'second')).rejects.toThrow('does not hold the new secret b');
  expect(system.current().current).toBe('a');
});

test.each<[string, RotationEvent, RegExp]>([
  ['another secret', { SecretId: `${SECRET}-other`, ClientRequestToken: 'second' }, /-other is not for this/],
  ['no secret', { ClientRequestToken: 'second' }, /undefined is not for this/],
  [
    'a version that Secrets Manager does not rotate to',
    { SecretId: SECRET, ClientRequestToken: 'second' },
    /^Nobody is rotating to the version second/,
  ],
])('of %s nothing is rotated', async (_, event, message) => {
  const system = stores({ current: 'a', a: 'generated' });
  for (const Step of STEPS) await expect(system.handler({ ...event, Step })).rejects.toThrow(message);
  expect(system.current()).toEqual({ current: 'a', a: 'generated' });
  expect(system.edge.size).toBe(0);
});
