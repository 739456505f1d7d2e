// Sends damaged files through the pipeline and notes how each of them ends.

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactKey } from '../../core/artifacts/artifacts.ts';
import type { Notice } from '../../core/notices.ts';
import { renditionsOf } from '../../core/plan/plan.ts';
import { segmentsOf } from '../../core/plan/segments.ts';
import { currentPlanOf } from '../../pipeline/revisions/revisions.ts';
import { lived, uploadedIn } from '../../test/support/life.ts';
import type { TestWorld } from '../../test/support/life.ts';
import { decoded } from './independent-decode.ts';
import type { Decoded } from './independent-decode.ts';
import type { Variant } from './variants.ts';
import { onOneClock, wholeness } from './wholeness.ts';
import type { Wholeness } from './wholeness.ts';

export interface Ending {
  variant: Variant;
  /** `ready`, the code of the failure, or `CRASH`. */
  outcome: string;
  message: string;
  rescued: number;
  /** What the status says is missing. */
  notices: Notice[];
  /** What is missing of which it says nothing; only looked for where that was asked. */
  unsaid?: string | undefined;
  seconds: number;
}

/**
 * Never throws: what the pipeline throws is a `CRASH`.
 * @param options.compare whether what is made is held against what the system's ffmpeg makes of the file
 */
export async function endingOf(
  variant: Variant,
  temporaryDirectory: string,
  { compare = false } = {},
): Promise<Ending> {
  const begun = performance.now();
  const video = await uploadedIn(temporaryDirectory, variant.bytes);
  const ended = await lived(video).then(
    ({ state, error, notices }) => ({
      outcome: error?.code ?? state,
      message: error?.message ?? '',
      notices,
    }),
    (error: Error) => ({ outcome: 'CRASH', message: `${error.stack}`, notices: [] as Notice[] }),
  );
  const rescued = video.world.observed.filter(({ event }) => event === 'rescued').length;
  const seconds = (performance.now() - begun) / 1000;
  const isToCompare = compare && ended.outcome === 'ready';
  const unsaid = isToCompare ? await missingOf(variant, video, ended.notices, temporaryDirectory) : undefined;
  return { variant, ...ended, rescued, seconds, unsaid };
}

// Two decoders of different years need not make the same of what is damaged.
const LEAST_PICTURES = 2;
const LEAST_SECONDS = 0.15;
const LEAST_SHARE = 0.1;

async function missingOf(
  { bytes }: Variant,
  { id, world }: { id: string; world: TestWorld },
  notices: readonly Notice[],
  temporaryDirectory: string,
): Promise<string | undefined> {
  // What is said of the one is not said of the other; a notice of no track may be of either.
  const isSaid = (kind: 'video' | 'audio') =>
    notices.some(({ track }) => track === null || track.startsWith(kind));
  if (isSaid('video') && isSaid('audio')) return undefined;
  const directory = await mkdtemp(join(temporaryDirectory, 'compared-'));
  try {
    const path = join(directory, 'source');
    await writeFile(path, bytes);
    const plan = (await currentPlanOf(id, world.media))!;
    const made = async (kind: 'video' | 'audio'): Promise<Decoded | undefined> => {
      const rendition = renditionsOf(plan, kind).at(-1);
      if (!rendition) return undefined;
      const segments = segmentsOf(plan, [rendition.name]).map((one) => world.media.get(artifactKey(id, one)));
      const joined = join(directory, kind);
      await writeFile(joined, Buffer.concat((await Promise.all(segments)) as Uint8Array[]));
      return decoded(joined, undefined);
    };
    const [video, audio] = [await made('video'), await made('audio')];
    const [ours, source] = [onOneClock(video, audio), await decoded(path, undefined)];
    // A film may begin with its first packet, or with the first that can be decoded: either is right, for both its tracks.
    const { pictures, sound } = [undefined, source.startSeconds]
      .map((origin) => wholeness(ours, source, origin))
      .reduce((best, other) => (lostShare(other) < lostShare(best) ? other : best));
    const said = [
      ...(pictures && !isSaid('video') && pictures.lost > LEAST_PICTURES + LEAST_SHARE * pictures.of
        ? [`${pictures.lost} of ${pictures.of} pictures`]
        : []),
      ...(sound && !isSaid('audio') && sound.lost > LEAST_SECONDS + LEAST_SHARE * sound.of
        ? [`${sound.lost.toFixed(2)} of ${sound.of.toFixed(2)} s of sound`]
        : []),
    ];
    return said.join(', ') || undefined;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const lostShare = ({ pictures, sound }: Wholeness): number =>
  [pictures, sound].reduce((sum, track) => sum + (track && track.of > 0 ? track.lost / track.of : 0), 0);

/** What must not be left behind when all is done: files, and processes of ours (on Linux). */
export async function leftovers(temporaryDirectory: string): Promise<string[]> {
  const files = await readdir(temporaryDirectory);
  const children: string[] = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8').then(
    (pids) => pids.split(' ').filter(Boolean),
    () => [],
  );
  const names = await Promise.all(
    children.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
  );
  return [...files, ...names.map((name) => name.trim()).filter((name) => /^ff(mpeg|probe)/.test(name))];
}
