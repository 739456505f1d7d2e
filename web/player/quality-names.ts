// What the qualities of a video are called in the player's menu.

/**
 * After the short sides, `720p`. Where two are of one size, as in a small video that has a variant for cellular lines, all but
 * the first are `240p low`.
 * @param sizes the best first
 */
export const qualityNames = (sizes: readonly { width: number; height: number }[]): string[] =>
  sizes
    .map(({ width, height }) => `${Math.min(width, height)}p`)
    .map((name, index, names) => (names.indexOf(name) === index ? name : `${name} low`));
