// The second recipe: players go from any segment to any other without a discontinuity. Frozen for ever, as the first is.

import { FIRST_RECIPE } from './first.ts';
import type { Recipe } from './recipe.ts';

export const SECOND_RECIPE: Recipe = {
  ...FIRST_RECIPE,
  name: '2',
  transportStream: {
    timing: FIRST_RECIPE.transportStream.timing,
    options: { output_ts_offset: '{offsetSeconds}' },
    // ffmpeg's segment muxer writes a PCR every 2 s only, and counters that begin at 0 in every segment: a segment's
    // pictures are packed anew, so that any segment goes on where any other ended (docs/decisions/011).
    packing: {
      kind: 'continuous',
      tables: 16,
      pcrLeadTicks: 9000,
      // ISO/IEC 13818-1 allows 100 ms (section 2.7.2); 10 ms are for what rounding moves at a border.
      mostPcrTicks: 8100,
    },
  },
  aac: {
    ...FIRST_RECIPE.aac,
    // What ffmpeg 4.1 takes by itself. Later ones take another, by which a run's first frames are worse than its neighbours:
    // an SNR of 35 to 40 dB of a tone, in place of 65 to 75.
    encoder: ['-c:a', 'aac', '-aac_coder', 'fast', '-b:a', '{bitrateBps}'],
  },
};
