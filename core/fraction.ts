// Exact fractions for frame rates and time bases: seconds are only computed where they are shown.

export interface Fraction {
  num: number;
  den: number;
}

/** Reads ffprobe's `num/den` (also `num:den`); undefined for `0/0`, `N/A` and the like. */
export function parseFraction(text: string | undefined): Fraction | undefined {
  const match = /^(\d+)[/:](\d+)$/.exec(text ?? '');
  if (!match) return undefined;
  const [num, den] = [Number(match[1]), Number(match[2])];
  return num > 0 && den > 0 ? { num, den } : undefined;
}

export const valueOf = ({ num, den }: Fraction): number => num / den;

/** `count · a · b` rounded to the nearest integer, in integers throughout: a day of samples overflows doubles. */
export function scaledRound(count: number, ...factors: Fraction[]): number {
  const num = factors.reduce((product, { num }) => product * BigInt(num), BigInt(count));
  const den = factors.reduce((product, { den }) => product * BigInt(den), 1n);
  const doubled = 2n * num + den;
  const floor = doubled / (2n * den);
  return Number(doubled < 0n && doubled % (2n * den) !== 0n ? floor - 1n : floor);
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
