// The ladder: which renditions a source deserves. The highest rung has the source's own size, up to the largest that we
// make; below it are the usual sizes, as far as each is a clear step down. We never upscale: more bytes, no more picture.

export interface Size {
  width: number;
  height: number;
}

export interface Rung extends Size {
  name: string;
  /** The most the encoder may spend, averaged over one second of buffer. */
  maxBitrateBps: number;
}

interface Box extends Size {
  name: string;
}

/** Rungs are made to fit into these (upright pictures into the same, turned), the largest first. */
const USUAL: readonly Box[] = [
  { name: '1080p', width: 1920, height: 1080 },
  { name: '720p', width: 1280, height: 720 },
  { name: '480p', width: 854, height: 480 },
  { name: '360p', width: 640, height: 360 },
];
/** Apple's authoring specification, 1.25: the size that goes with 145 kbit/s. */
const CELLULAR: Size = { width: 416, height: 234 };
/** A highest rung may be named after these as well. */
const NAMED: readonly Box[] = [
  { name: '2160p', width: 3840, height: 2160 },
  { name: '1440p', width: 2560, height: 1440 },
  ...USUAL,
];

/** The short sides of the largest pictures that can be made, of 16:9 or upright. */
export const LARGEST_RUNGS = ['1080p', '1440p', '2160p'] as const;
export type LargestRung = (typeof LARGEST_RUNGS)[number];

/** Of the pixels of the rung above: a player that changes between two that are nearly alike gains nothing. */
const MOST_OF_NEXT = 0.7;

const HIGH_FRAME_RATE = 31;
const SMALLEST_BITRATE_BPS = 100_000;

/** The rungs for a source as displayed, the highest first. */
export function ladderFor(source: Size, framesPerSecond: number, largest: LargestRung = '1080p'): Rung[] {
  const top = fitted(source, boxNamed(largest));
  const sizes = [top];
  for (const box of USUAL) {
    const size = fitted(source, box);
    if (pixels(size) <= MOST_OF_NEXT * pixels(sizes.at(-1)!)) sizes.push(size);
  }
  return sizes.map((size) => ({
    name: nameOf(size),
    ...size,
    maxBitrateBps: maxBitrateBps(pixels(size), framesPerSecond),
  }));
}

/** One more below a ladder, for few bits: smaller where that is a clear step down, and else as large as the lowest. */
export function cellularRung(
  source: Size,
  ladder: readonly (Size & { name: string })[],
): Size & { name: string } {
  const lowest = ladder.at(-1)!;
  const smaller = fitted(source, CELLULAR);
  const size = pixels(smaller) <= MOST_OF_NEXT * pixels(lowest) ? smaller : lowest;
  const { width, height } = size;
  const name = nameOf(size);
  return { name: ladder.some((rung) => rung.name === name) ? `${name}-low` : name, width, height };
}

const boxNamed = (name: LargestRung): Box => NAMED.find((box) => box.name === name)!;

/** As large as fits into a box, or as large as it is. */
function fitted({ width, height }: Size, box: Size): Size {
  const { width: across, height: down } = standing(box, { width, height });
  const scale = Math.min(1, across / width, down / height);
  return { width: even(width * scale), height: even(height * scale) };
}

/** A phone held upright films 1080p too. */
const standing = ({ width, height }: Size, picture: Size): Size =>
  picture.height > picture.width ? { width: height, height: width } : { width, height };

/** After the smallest usual size that holds it; what does not even fill the smallest in one direction, after its short side. */
function nameOf(size: Size): string {
  const holding = NAMED.filter((box) => {
    const { width, height } = standing(box, size);
    return size.width <= width && size.height <= height;
  });
  const box = holding.at(-1);
  const smallest = NAMED.at(-1)!;
  const isBelow = Math.max(size.width, size.height) < smallest.width && shortSide(size) < smallest.height;
  return isBelow || !box ? `${shortSide(size)}p` : box.name;
}

const shortSide = ({ width, height }: Size): number => Math.min(width, height);
const pixels = ({ width, height }: Size): number => width * height;

/** What pictures of so many pixels may take, the largest first; between them it follows the pixels. */
const BITRATES = [
  { pixels: 1920 * 1080, bps: 5_000_000 },
  { pixels: 1280 * 720, bps: 2_800_000 },
  { pixels: 854 * 480, bps: 1_400_000 },
  { pixels: 640 * 360, bps: 800_000 },
] as const;
/** Above and below them: four times the pixels are not four times the bits. */
const OUTER_EXPONENT = 0.75;

function maxBitrateBps(count: number, framesPerSecond: number): number {
  // Twice the pictures are not twice the bits: neighbours at 60 fps resemble each other more.
  const factor = framesPerSecond > HIGH_FRAME_RATE ? 1.5 : 1;
  const bps = bitrateFor(count);
  const rounded = bps < 1_000_000 ? Math.round(bps) : Math.round(bps / 1000) * 1000;
  return Math.round(Math.max(SMALLEST_BITRATE_BPS, rounded) * factor);
}

function bitrateFor(count: number): number {
  const below = BITRATES.findIndex((point) => point.pixels <= count);
  const [high, low] = [BITRATES[below - 1], BITRATES[below]];
  if (!high || !low) {
    const { pixels: known, bps } = low ?? BITRATES[BITRATES.length - 1]!;
    return bps * (count / known) ** OUTER_EXPONENT;
  }
  const exponent = Math.log(high.bps / low.bps) / Math.log(high.pixels / low.pixels);
  return low.bps * (count / low.pixels) ** exponent;
}

/** libx264 refuses odd sides (4:2:0 halves them). */
const even = (side: number): number => Math.max(2, Math.round(side / 2) * 2);
