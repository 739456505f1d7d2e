// How many bits a setting needs for the quality of another, from some points of its curve.

export interface Point {
  bits: number;
  /** Mean over pictures, of all planes. */
  ssim: number;
  cpuSeconds: number;
}

/** In decibels quality is nearly a straight line over the logarithm of bits. */
export const decibelsOf = (ssim: number): number => -10 * Math.log10(Math.max(1 - ssim, 1e-6));

/**
 * The bits and CPU seconds that a curve has at a quality, by interpolation between its neighbours there.
 * @returns undefined where the curve does not reach as far
 */
export function atQuality(curve: readonly Point[], ssim: number): Point | undefined {
  const sorted = [...curve].sort((a, b) => a.ssim - b.ssim);
  const above = sorted.findIndex((point) => point.ssim >= ssim);
  const [low, high] = [sorted[above - 1], sorted[above]];
  if (!high) return undefined;
  if (high.ssim === ssim) return high;
  if (!low) return undefined;
  const span = decibelsOf(high.ssim) - decibelsOf(low.ssim);
  const share = (decibelsOf(ssim) - decibelsOf(low.ssim)) / span;
  const between = (a: number, b: number): number =>
    Math.exp(Math.log(a) + share * (Math.log(b) - Math.log(a)));
  return {
    bits: between(low.bits, high.bits),
    ssim,
    cpuSeconds: between(low.cpuSeconds, high.cpuSeconds),
  };
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
