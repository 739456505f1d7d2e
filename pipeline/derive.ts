// Makes any artifact of a video and stores it once. The just-in-time path asks for one; prewarm for a chunk.

import { withRangeServer } from '../adapters/range-server.ts';
import type { ServedSource } from '../adapters/range-server.ts';
import { notFound } from '../core/errors.ts';
import { frameRun } from '../core/ffmpeg-arguments.ts';
import { valueOf } from '../core/fraction.ts';
import { artifactKey, planKey } from '../core/keys.ts';
import type { Artifact } from '../core/keys.ts';
import { contentHeaders } from '../core/media-types.ts';
import { renditionNames } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { mediaPlaylist, multivariantPlaylist } from '../core/playlists.ts';
import { segmentCount, segmentsOf } from '../core/segments.ts';
import type { Chunk } from '../core/work.ts';
import { encode } from './encode.ts';
import type { EncodeOptions } from './encode.ts';
import { secondsSince } from './observe.ts';
import { planOf, sourceOf } from './planning.ts';
import { singleFlight } from './single-flight.ts';
import type { World } from './world.ts';

const deriving = singleFlight<Uint8Array>();

/**
 * One artifact's bytes: the stored ones, or made now. They are complete in the store before they are returned.
 * @throws RequestError NOT_FOUND for what the plan does not list; SourceError where the source is refused.
 */
export function derive(id: string, artifact: Artifact, world: World): Promise<Uint8Array> {
  const key = artifactKey(id, artifact);
  return deriving(key, async () => {
    const stored = await world.media.get(key);
    if (stored) return stored;
    const plan = await planOf(id, world);
    if (!lists(plan, artifact)) throw notFound('such artifact');
    const begun = new Date();
    const { bytes, sourceBytesRead } = await make(id, plan, artifact, world);
    const kept = await keep(id, artifact, bytes, world);
    const { kind } = artifact;
    world.observe({ event: 'derived', id, key, kind, seconds: secondsSince(begun), sourceBytesRead });
    return kept;
  });
}

/** Encodes a chunk of the renditions to prewarm, unless all of it is there. */
export async function deriveChunk(chunk: Chunk, world: World, options: EncodeOptions = {}): Promise<void> {
  const plan = await planOf(chunk.id, world);
  if (plan.rev !== chunk.rev) throw notFound('such revision');
  const missing = new Set<string>();
  for (const artifact of segmentsOf(plan, plan.prewarm, chunk)) {
    if (!(await world.media.head(artifactKey(chunk.id, artifact)))) missing.add(artifact.rendition);
  }
  if (missing.size === 0) return;
  const begun = new Date();
  const sourceBytesRead = await withSource(chunk.id, plan, world, async ({ url, readBytes }) => {
    const job = { plan, renditions: [...missing], from: chunk.from, to: chunk.to, sourceUrl: url };
    for await (const { bytes, ...segment } of encode(job, world.tools, options)) {
      await keep(chunk.id, { kind: 'segment', rev: plan.rev, ...segment }, bytes, world);
    }
    return readBytes();
  });
  const { id, from, to } = chunk;
  const frames = frameRun({ plan, from, to });
  const videoSeconds = (frames.to - frames.from) / valueOf(plan.grid.frameRate);
  const seconds = secondsSince(begun);
  world.observe({ event: 'prewarmed', id, from, to, seconds, videoSeconds, sourceBytesRead });
}

/** A URL can only name what the plan lists: the cost of abuse is bounded by one full encode. */
function lists(plan: Plan, artifact: Artifact): boolean {
  if (artifact.kind === 'multivariant') return true;
  if (artifact.rev !== plan.rev || !renditionNames(plan).includes(artifact.rendition)) return false;
  if (artifact.kind === 'playlist') return true;
  const extension = artifact.rendition === plan.audio?.name ? 'aac' : 'ts';
  return artifact.extension === extension && artifact.index < segmentCount(plan.grid);
}

interface Made {
  bytes: Uint8Array;
  sourceBytesRead: number;
}

async function make(id: string, plan: Plan, artifact: Artifact, world: World): Promise<Made> {
  switch (artifact.kind) {
    case 'multivariant':
      return { bytes: Buffer.from(multivariantPlaylist(plan)), sourceBytesRead: 0 };
    case 'playlist':
      return { bytes: Buffer.from(mediaPlaylist(plan, artifact.rendition)), sourceBytesRead: 0 };
    case 'segment':
      return withSource(id, plan, world, async ({ url, readBytes }) => {
        const { rendition, index } = artifact;
        const job = { plan, renditions: [rendition], from: index, to: index + 1, sourceUrl: url };
        for await (const { bytes } of encode(job, world.tools))
          return { bytes, sourceBytesRead: readBytes() };
        throw new Error(`segment ${index} of ${rendition}: nothing was encoded`);
      });
  }
}

const withSource = <T>(
  id: string,
  plan: Plan,
  world: World,
  use: (served: ServedSource) => Promise<T>,
): Promise<T> => withRangeServer(sourceOf(id, plan.source, world), use);

/** Stores an artifact unless another was faster, and returns the one that counts. */
async function keep(id: string, artifact: Artifact, made: Uint8Array, world: World): Promise<Uint8Array> {
  const key = artifactKey(id, artifact);
  const outcome = await world.media.put(key, made, { ...contentHeaders(artifact), ifAbsent: true });
  // A deletion removes the plan first and then what it finds stored: either it finds this, or we find the plan gone.
  if (!(await world.media.head(planKey(id)))) {
    await world.media.delete([key]);
    throw notFound('such video');
  }
  return outcome === 'stored' ? made : ((await world.media.get(key)) ?? made);
}
