// A video whose plan is in hand, for whoever does several things with it: nobody further down asks the store for it again,
// and what reads the source at the same time reads it through one range server, and its blocks once.

import { SourceError } from '../../core/errors.ts';
import type { Plan, PlannedSource } from '../../core/plan/plan.ts';
import { blockCache } from '../../machine/block-cache.ts';
import type { BlockCache } from '../../machine/block-cache.ts';
import { keptBlocks } from '../../machine/kept-blocks.ts';
import type { KeptBlocks } from '../../machine/kept-blocks.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import type { RangeSource, ServedSource } from '../../machine/range-server.ts';
import { refuse, sourceOf } from '../life/planning.ts';
import { revisionsOf } from '../revisions/revisions.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';

export interface PlannedVideo {
  id: string;
  plan: Plan;
  world: World;
  /**
   * Serves the source for as long as it is used. What others read meanwhile counts among the bytes read, and what fails
   * for them has failed for all.
   * @throws whatever `use` does; OutageError where the source could not be read. A source that turns out to be damaged
   *   beyond use is refused, though it has a plan; but not where another plan of it has been good enough.
   */
  withSource<T>(use: (served: ServedSource) => Promise<T>): Promise<T>;
}

/**
 * @param isOneOfMany whether the same source is read again and again, as by the items of a work list: its latest blocks are
 *   kept for the next one then
 */
export function plannedVideo(id: string, plan: Plan, world: World, isOneOfMany = false): PlannedVideo {
  const shared = sharedServer(() => {
    const source = sourceOf(id, plan.source, world);
    return { source, blocks: isOneOfMany ? blocksOf(id, plan.source, source, world) : blockCache(source) };
  });
  return {
    ...{ id, plan, world },
    async withSource(use) {
      try {
        return await shared(use);
      } catch (error) {
        if (error instanceof SourceError && (await isOnlyRevision(id, plan.rev, world))) {
          await refuse(id, error, world);
        }
        throw error;
      }
    },
  };
}

/** By the store that they come from. */
const kept = new WeakMap<Store, KeptBlocks>();

function blocksOf(id: string, planned: PlannedSource, source: RangeSource, { uploads }: World): BlockCache {
  const { key, etag, sizeBytes } = planned;
  const version = key ?? etag;
  // Another file may have taken the place of one without a version.
  if (version === undefined) return blockCache(source);
  let blocks = kept.get(uploads);
  if (!blocks) kept.set(uploads, (blocks = keptBlocks()));
  return blocks(`${id} ${version} ${sizeBytes}`, source);
}

interface Readable {
  source: RangeSource;
  blocks: BlockCache;
}

/** A range server that is there from its first user's coming to its last one's going. */
function sharedServer(
  readable: () => Readable,
): <T>(use: (served: ServedSource) => Promise<T>) => Promise<T> {
  let open: OpenServer | undefined;
  return async (use) => {
    const own = (open ??= openServer(readable()));
    own.users += 1;
    try {
      const served = await own.served;
      const before = served.readBytes();
      const result = await use({ ...served, readBytes: () => served.readBytes() - before });
      if (served.failure()) throw served.failure();
      return result;
    } catch (error) {
      // What ffmpeg says of a source that it could not read is not what went wrong.
      throw (await own.served).failure() ?? error;
    } finally {
      own.users -= 1;
      // Whoever comes after a failure, or when all have gone, opens another.
      const hasFailed = await own.served.then(
        ({ failure }) => failure() !== undefined,
        () => true,
      );
      if (open === own && (own.users === 0 || hasFailed)) open = undefined;
      if (own.users === 0) await own.close();
    }
  };
}

interface OpenServer {
  served: Promise<ServedSource>;
  users: number;
  close(): Promise<void>;
}

function openServer({ source, blocks }: Readable): OpenServer {
  const isServed = Promise.withResolvers<ServedSource>();
  const isOver = Promise.withResolvers<void>();
  const use = (served: ServedSource) => {
    isServed.resolve(served);
    return isOver.promise;
  };
  // Of a failure in reading, its users have been told.
  const closed = withRangeServer(source, use, blocks).catch((error: unknown) => isServed.reject(error));
  return {
    served: isServed.promise,
    users: 0,
    close() {
      isOver.resolve();
      return closed;
    },
  };
}

async function isOnlyRevision(id: string, rev: string, { media }: World): Promise<boolean> {
  const revisions = await revisionsOf(id, media);
  return revisions?.current === rev && !revisions.next && revisions.former.length === 0;
}
