// The ladder: which renditions a source deserves. We never upscale: more bytes, no more picture.

export interface Size {
  width: number;
  height: number;
}

export interface Rung extends Size {
  name: string;
  /** The most the encoder may spend, averaged over one second of buffer. */
  maxBitrateBps: number;
}

const LADDER = [
  { name: '1080p', shortSide: 1080, maxBitrateBps: 5_000_000 },
  { name: '720p', shortSide: 720, maxBitrateBps: 2_800_000 },
  { name: '480p', shortSide: 480, maxBitrateBps: 1_400_000 },
  { name: '360p', shortSide: 360, maxBitrateBps: 800_000 },
] as const;

const HIGH_FRAME_RATE = 31;
const SMALLEST_BITRATE_BPS = 100_000;

/** The rungs for a source as displayed, the highest first. A source below the lowest gets one of its own size. */
export function ladderFor({ width, height }: Size, framesPerSecond: number): Rung[] {
  const shortSide = Math.min(width, height); // a phone held upright films 1080p too
  const fitting = LADDER.filter((rung) => rung.shortSide <= shortSide);
  const rungs = fitting.length > 0 ? fitting : [ownRung(shortSide)];
  return rungs.map(({ name, shortSide: side, maxBitrateBps }) => ({
    name,
    width: even((width * side) / shortSide),
    height: even((height * side) / shortSide),
    // Twice the pictures are not twice the bits: neighbours at 60 fps resemble each other more.
    maxBitrateBps: Math.round(maxBitrateBps * (framesPerSecond > HIGH_FRAME_RATE ? 1.5 : 1)),
  }));
}

function ownRung(shortSide: number) {
  const maxBitrateBps = Math.max(SMALLEST_BITRATE_BPS, Math.round(800_000 * (shortSide / 360) ** 1.5));
  return { name: `${shortSide}p`, shortSide, maxBitrateBps };
}

/** libx264 refuses odd sides (4:2:0 halves them). */
const even = (side: number): number => Math.max(2, Math.round(side / 2) * 2);
