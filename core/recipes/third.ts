// The third recipe: pictures and sound that change in mid-stream, and stamps that are not exact. Frozen for ever, as the
// first is.

import { SECOND_RECIPE } from './second.ts';
import type { Recipe } from './recipe.ts';

// A picture as high as the frame, or as wide. A shape that differs by less than 1 % fills the frame: that is rounding.
const FITTED_WIDTH = 'if(gt(a,0.99*{width}/{height}),{width},max(2,2*round({height}*a/2)))';
const FITTED_HEIGHT = 'if(lt(a,1.01*{width}/{height}),{height},max(2,2*round({width}/a/2)))';

export const THIRD_RECIPE: Recipe = {
  ...SECOND_RECIPE,
  name: '3',
  picture: {
    ...SECOND_RECIPE.picture,
    // A picture of the size that the plan knows is scaled as ever, and not padded. One of another size has square pixels,
    // as those of windows and calls have, where the plan's are square.
    changes: {
      same: 'scale={width}:{height}',
      fitted: [
        `scale=w='if(eq(iw,{decodedWidth})*eq(ih,{decodedHeight}),{width},${FITTED_WIDTH})'` +
          `:h='if(eq(iw,{decodedWidth})*eq(ih,{decodedHeight}),{height},${FITTED_HEIGHT})':eval=frame{options}`,
        'pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:eval=frame',
      ],
    },
  },
  aac: {
    ...SECOND_RECIPE.aac,
    // What `stamps` has found to be a gap is filled, however short. It leaves less than this where it puts a frame on the grid.
    gaps: 'async=1:min_comp=0.000001:min_hard_comp=0.0015',
    changes: {
      rate: 'aresample={sourceRate}',
      level: ['aresample={sourceRate}:ocl={layout}', 'aformat=sample_fmts=fltp:channel_layouts={layout}'],
      // Frames of equal length end on a grid that begins with the track. A stamp that is off by no more than its container
      // rounds is put there, so a segment made alone begins where a run has it. Any other frame follows the one before it
      // without a seam, unless there is a gap (its stamp is more than 2 ms after the end of that one), or stamps and samples
      // have drifted apart by a tenth of a second. Stamps that go back by less are jitter: nothing is cut off for them.
      // 0: where the frame before ended, by its stamp; 1: by where it was put; 2: this one's stamp; 3: its place on the grid;
      // 4: where it is put; 5: whether it is on the grid.
      stamps: [
        'st(3,{start}+{unit}*round((PTS-({origin})-({start})+NB_SAMPLES)/{unit})-NB_SAMPLES)',
        'st(5,lte(abs(PTS-({origin})-ld(3)),{within}))',
        'st(2,if(ld(5),ld(3),PTS-({origin})))',
        'st(4,if(gt(N,0)*lte(abs(ld(2)-ld(1)),0.1*{sourceRate})' +
          '*gt(lte(ld(2)-ld(0),0.002*{sourceRate})+lte(ld(2),ld(1)),0),' +
          'if(ld(5)*lte(abs(ld(2)-ld(1)),{within}),ld(2),ld(1)),ld(2)))',
        'st(0,ld(2)+NB_SAMPLES)',
        'st(1,ld(4)+NB_SAMPLES)',
        'ld(4)',
      ],
    },
  },
};
