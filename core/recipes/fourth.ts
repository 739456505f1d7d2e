// The fourth recipe: a variant for cellular lines. Frozen for ever, as the first is.

import { THIRD_RECIPE } from './third.ts';
import type { Recipe } from './recipe.ts';

export const FOURTH_RECIPE: Recipe = {
  ...THIRD_RECIPE,
  name: '4',
  h264: {
    ...THIRD_RECIPE.h264,
    // Of so few bits none must be wasted, and the pictures are small: a slower search takes little time.
    cellularEncoder: THIRD_RECIPE.h264.encoder.map((option) => (option === 'veryfast' ? 'medium' : option)),
  },
  aac: {
    ...THIRD_RECIPE.aac,
    // As loud as before where both channels are alike, and never louder than they are.
    cellularMix: 'pan=mono|c0=0.5*c0+0.5*c1',
  },
};
