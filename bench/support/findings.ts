// What a comparison has found, line by line.

export interface Finding {
  outcome: 'ok' | 'WRONG' | 'fact';
  text: string;
}

/** `wrong` tells what is wrong, if anything is. */
export const finding = (what: string, wrong: readonly string[], right = ''): Finding =>
  wrong.length > 0
    ? { outcome: 'WRONG', text: `${what}: ${wrong.join('; ')}` }
    : { outcome: 'ok', text: right ? `${what}: ${right}` : what };

export const fact = (text: string): Finding => ({ outcome: 'fact', text });

/** `41.3 dB`; `equal` where nothing differs. */
export const decibels = (ratio: number): string => (ratio === Infinity ? 'equal' : `${ratio.toFixed(1)} dB`);

export const milliseconds = (ms: number): string =>
  Number.isFinite(ms) ? `${Number(ms.toFixed(2))} ms` : 'no end';

/** The first place where two texts differ. */
export function firstDifference(a: string, b: string): string | undefined {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const line = Array.from({ length: Math.max(left.length, right.length) }).findIndex(
    (_, index) => left[index] !== right[index],
  );
  return line < 0 ? undefined : `line ${line + 1} is ${quoted(left[line])}, not ${quoted(right[line])}`;
}

const quoted = (line: string | undefined): string => (line === undefined ? 'missing' : JSON.stringify(line));
