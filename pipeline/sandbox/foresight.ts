// The first segments of a video, begun before its plan is decided. What a source claims of itself mostly turns out to be
// true, and whoever wants to watch it waits for just these; so they are encoded while its end is still being looked at. Where
// the plan that is decided makes the same of the source, what was begun is told after it; else it is given up.

import { isDeepStrictEqual } from 'node:util';
import { openingRenditions } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { essenceOf } from '../../core/plan/succession.ts';
import { withRangeServer } from '../../machine/range-server.ts';
import type { RangeSource } from '../../machine/range-server.ts';
import { encode } from '../encode/encode.ts';
import type { EncodedSegment } from '../encode/encode.ts';
import type { EncodeTools } from '../world.ts';
import type { SegmentReply } from './sandbox.ts';

export interface Foresight {
  /** Tells the segments of the plan that was decided, each when it is made; resolves with the last. */
  settle(decided: Plan, tell: (reply: SegmentReply) => Promise<void> | void): Promise<void>;
  /** Harmless when all is settled. */
  giveUp(): void;
}

/** Begins the first segments of a plan that may become that of a source. */
export function foresee(claimed: Plan, source: RangeSource, tools: EncodeTools): Foresight {
  const givenUp = new AbortController();
  const segments = openingRenditions(claimed).map(({ name }) =>
    firstSegment(claimed, name, source, tools, givenUp.signal),
  );
  return {
    async settle(decided, tell) {
      if (!makesTheSame(claimed, decided)) return givenUp.abort();
      await Promise.all(
        segments.map(async (made) => {
          const segment = await made;
          if (!segment) return;
          const { rendition, index, rescue, bytes } = segment;
          await tell({ kind: 'segment', rendition, index, rescue, made: { bytes } });
        }),
      );
    },
    giveUp: () => givenUp.abort(),
  };
}

/** Where keyframes lie changes how work is divided, and no segment. */
const makesTheSame = (claimed: Plan, decided: Plan): boolean =>
  decided.source.kind === claimed.source.kind &&
  isDeepStrictEqual(essenceOf({ ...claimed, source: decided.source }), essenceOf(decided));

/** Never rejects: whatever goes wrong is met again, and told, by whoever makes the segment when it is asked for. */
async function firstSegment(
  plan: Plan,
  rendition: string,
  source: RangeSource,
  tools: EncodeTools,
  leave: AbortSignal,
): Promise<EncodedSegment | undefined> {
  try {
    return await withRangeServer(source, async ({ url, failure }) => {
      const job = { plan, renditions: [rendition], from: 0, to: 1, sourceUrl: url };
      for await (const segment of encode(job, tools, { leave, sourceFailure: failure })) return segment;
      return undefined;
    });
  } catch {
    return undefined;
  }
}
