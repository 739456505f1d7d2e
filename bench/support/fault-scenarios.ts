// Bad days, one after another: what the store does on each, and what else happens.

import { setTimeout as sleep } from 'node:timers/promises';
import { deleteVideo } from '../../test/support/system.ts';
import type { Fault, FaultKind, Matching } from '../../test/support/faulty-store.ts';
import { oneOf } from '../../test/support/random-numbers.ts';
import { cutBlob, formFor, killEncoder, replaceByPart, sendByForm } from '../../test/support/tampering.ts';
import type { Form } from '../../test/support/tampering.ts';
import { keysBelow } from '../../test/support/upgrade.ts';
import type { Round, RoundVideo, Scenario } from './fault-rounds.ts';

const fault = (
  kind: FaultKind,
  share: number,
  matching: Matching = 'all',
  perObject?: Fault['perObject'],
): Fault => ({ kind, share, matching, ...(perObject ? { perObject } : {}) });

/** Nothing happens. */
export const NO_FAULTS: Scenario = { name: 'none', isStrict: true };
/** What is made then is right, and how long it takes is what others are measured by. */
export const AHEAD_OF_TIME: Scenario = { ...NO_FAULTS, name: 'ahead of time' };
export const PIECE_BY_PIECE: Scenario = {
  ...NO_FAULTS,
  name: 'piece by piece',
  environment: { PREWARM: 'none' },
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'cut',
    faults: [
      fault('cut off', 0.03),
      fault('short body', 0.03),
      fault('reset', 0.03),
      fault('short read', 0.1, 'source reads'),
    ],
  },
  {
    // A quarter of all reads of the source.
    name: 'short',
    faults: [fault('short read', 0.15, 'source reads'), fault('short body', 0.1, 'source reads')],
  },
  {
    name: 'refusing',
    faults: [fault('SlowDown', 0.12), fault('InternalError', 0.05), fault('reset', 0.03)],
  },
  {
    name: 'damaged',
    faults: [
      fault('short artifact', 0.05, 'artifact reads', 'once'),
      fault('short artifact', 0.02, 'artifact reads', 'always'),
      fault('wrong ETag', 0.05, 'artifact reads'),
      fault('cut off', 0.03, 'artifact reads'),
    ],
    goesOn: true,
    meanwhile: damageArtifacts,
  },
  {
    name: 'slow',
    faults: [fault('slow', 0.05, 'source reads'), fault('trickled', 0.05), fault('slow', 0.01)],
  },
  {
    // The first read of each source hangs; later, some in mid-body.
    name: 'hanging',
    faults: [
      fault('hanging', 1, 'source reads', 'once'),
      fault('hanging in mid-body', 0.02, 'source reads'),
      fault('hanging', 0.003),
    ],
  },
  { name: 'outage of 503', meanwhile: outageOf('SlowDown', 1) },
  { name: 'outage of resets', meanwhile: outageOf('reset', 1) },
  { name: 'outage of 403', meanwhile: outageOf('AccessDenied', 1) },
  { name: 'half an outage', meanwhile: outageOf('SlowDown', 0.5) },
  {
    name: 'writes',
    faults: [
      fault('lost answer', 0.1, 'writes'),
      fault('refused write', 0.07, 'writes'),
      fault('InternalError', 0.05, 'writes'),
      fault('full', 0.03, 'writes'),
    ],
  },
  { name: 'full', meanwhile: outageOf('full', 1, 'writes') },
  {
    name: 'killed',
    // Who watches while the server is killed sees that.
    tolerates: (_, label) => label === 'broken',
    meanwhile: killNowAndThen,
  },
  {
    name: 'overwritten',
    isWanted: (name) => /\.(mp4|ts|mkv)$/.test(name),
    beforeUpload: keepForm,
    meanwhile: overwrite,
    // The old file's playlists may name what is no more.
    tolerates: (_, label) => /^40[49]/.test(label),
  },
  {
    name: 'deleted',
    isStrict: true,
    meanwhile: deleteSome,
    tolerates: ({ isDeleted }, label) => isDeleted === true && label.startsWith('404'),
  },
  {
    name: 'all at once',
    faults: [
      ...(['cut off', 'short body', 'reset', 'SlowDown', 'InternalError', 'trickled', 'slow'] as const).map(
        (kind) => fault(kind, 0.01),
      ),
      fault('short read', 0.05, 'source reads'),
      fault('short artifact', 0.02, 'artifact reads', 'once'),
      fault('wrong ETag', 0.02),
      fault('lost answer', 0.02, 'writes'),
      fault('refused write', 0.02, 'writes'),
      fault('hanging in mid-body', 0.002),
    ],
    meanwhile: killEncodersNowAndThen,
  },
];

/** Right after the uploads. */
function outageOf(kind: FaultKind, share: number, matching: Matching = 'all') {
  return ({ store, outageSeconds }: Round): Promise<void> =>
    store.during(outageSeconds, [fault(kind, share, matching)]);
}

/** Blobs of the store are cut, objects replaced by parts of themselves: to half, or to nothing. */
async function damageArtifacts(round: Round): Promise<void> {
  const { client, random, storeDirectory } = round;
  while (!round.isOver()) {
    await sleep(400);
    const keys = (await keysBelow(client, 'v/')).filter((key) => key.startsWith('v/'));
    if (keys.length === 0) continue;
    const [key, share] = [oneOf(keys, random), oneOf([0.5, 0], random)];
    const isBlob = random() < 0.5;
    const isDone = isBlob
      ? await cutBlob(storeDirectory, client, key, share)
      : await replaceByPart(client, key, share);
    if (isDone) round.struck(isBlob ? 'blob cut' : 'object replaced');
  }
}

async function killEncodersNowAndThen(round: Round): Promise<void> {
  while (!round.isOver()) {
    await sleep(200 + 800 * round.random());
    const isDone = await killEncoder(round.supervisor.system().process.pid!, round.random);
    if (isDone) round.struck('encoder killed');
  }
}

/** Encoders often, the server now and then. */
async function killNowAndThen(round: Round): Promise<void> {
  for (let kills = 1; !round.isOver(); kills += 1) {
    await sleep(100 + 500 * round.random());
    if (kills % 15 === 0) {
      await round.supervisor.killAndRestart();
      round.struck('server killed');
    } else if (await killEncoder(round.supervisor.system().process.pid!, round.random)) {
      round.struck('encoder killed');
    }
  }
}

const forms = new WeakMap<RoundVideo, Form>();

async function keepForm(video: RoundVideo): Promise<void> {
  forms.set(video, await formFor(video.granted, video.source.name));
}

/** Another source takes the place of each, sooner or later. */
async function overwrite(round: Round): Promise<void> {
  const good = round.sources.filter(({ refusal, pictures }) => !refusal && pictures !== undefined);
  for (const video of round.videos) {
    if (video.source.refusal) continue;
    const other = good[(good.indexOf(video.source) + 1) % good.length]!;
    video.otherSource = other;
    await sleep(1500 * round.random());
    await sendByForm(forms.get(video)!, other.path);
    round.struck('source overwritten');
  }
}

/** Every other video goes, while it is made and watched. */
async function deleteSome(round: Round): Promise<void> {
  for (const [index, video] of round.videos.entries()) {
    if (index % 2 === 0) continue;
    await sleep(1500 * round.random());
    video.isDeleted = true;
    const { status } = await deleteVideo(round.supervisor.system(), video.granted);
    round.struck('video deleted');
    if (status !== 204)
      round.report({ kind: 'other', text: `${video.source.name}: DELETE answers ${status}` });
  }
}
