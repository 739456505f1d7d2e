// Pictures that carry their own number, as twelve bits of black and white: whatever is done to a film, one can read off
// which of its pictures is shown when.

import { ffmpeg } from './media.ts';

const BITS = 12;
const SQUARE = 16;
/** Of the picture, in pixels: a multiple of what any codec asks for. */
export const NUMBERED_SIZE = { width: BITS * SQUARE, height: 96 };

/** A lavfi source of `seconds` numbered pictures on a moving ground. */
export function numberedPictures(rate: string, seconds: number): string {
  const { width, height } = NUMBERED_SIZE;
  const squares = Array.from({ length: BITS }, (_, bit) => {
    const box = `x=${bit * SQUARE}:y=0:w=${SQUARE}:h=48:t=fill`;
    return `drawbox=${box}:c=black,drawbox=${box}:c=white:enable='gte(mod(n,${2 ** (bit + 1)}),${2 ** bit})'`;
  });
  return `testsrc2=s=${width}x${height}:r=${rate}:d=${seconds},${squares.join(',')}`;
}

/**
 * The numbers of all pictures that decode, in the order they are shown.
 * @param within the filter that cuts the numbered picture out of the frame
 */
export async function numbersIn(path: string, within = 'null'): Promise<number[]> {
  const middle = `${within},crop=iw:ih/4:0:ih/8,scale=${BITS}:1:flags=area,format=gray`;
  const { stdout } = await ffmpeg(
    ...['-i', path, '-map', '0:v', '-vf', middle, '-vsync', '0', '-f', 'rawvideo', '-'],
  );
  return Array.from({ length: stdout.length / BITS }, (_, picture) => {
    const bits = stdout.subarray(picture * BITS, (picture + 1) * BITS);
    return bits.reduce((number, level, bit) => number + (level > 128 ? 2 ** bit : 0), 0);
  });
}
