// The recipe of videos that are planned now. Whoever changes it gives it a new name; a plan made before keeps its own.
// test/core/recipes.test.ts fails where what is made changes and the name does not.

import { FOURTH_RECIPE } from './fourth.ts';
import type { Recipe } from './recipe.ts';

/**
 * Segments of both efforts are mixed, so what parameter sets name must be equal. A PPS tells the CRF, unless headers are
 * `stitchable`; how many reference frames there are (one, of veryfast); and by how much chroma's quantizer is moved.
 */
const PINNED = 'stitchable=1';

/** What pays on top of veryfast (docs/decisions/053). */
const THOROUGH = [
  PINNED,
  // From 6 on x264 minds how grain looks, and moves chroma's quantizer by -2 for it: that is taken back.
  ...['subme=6', 'chroma-qp-offset=2', 'trellis=1'],
  // Up to five the sequence's parameters are the same, and two frames are decoded ahead.
  'bframes=5',
  // How bits are shared out: among pictures, by what others take from them, and within each.
  ...['rc-lookahead=40', 'qcomp=0.5', 'aq-mode=2'],
].join(':');
/** With all that, the quality of the usual encoder at 23, on average. */
const THOROUGH_CRF = '25';

const { encoder } = FOURTH_RECIPE.h264;

export const PRESENT_RECIPE: Recipe = {
  ...FOURTH_RECIPE,
  name: '5',
  h264: {
    ...FOURTH_RECIPE.h264,
    encoder: [...encoder, '-x264-params', PINNED],
    thoroughEncoder: [
      ...encoder.map((option, index) => (encoder[index - 1] === '-crf' ? THOROUGH_CRF : option)),
      ...['-x264-params', THOROUGH],
    ],
  },
  transportStream: {
    ...FOURTH_RECIPE.transportStream,
    // Once in a segment is what players ask for (RFC 8216bis, section 3.1.1). Sixteen of each are 24 kbit/s where segments
    // last two seconds, an eighth of what a cellular line is given.
    packing: { kind: 'continuous', tables: 1, pcrLeadTicks: 9000, mostPcrTicks: 8100 },
  },
};
