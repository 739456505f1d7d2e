// How figures are summed up and shown.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `1.42 s (1.31 to 1.66, 5 runs)` */
export function secondsOf(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(2));
  return `${median(values).toFixed(2)} s (${least} to ${most}, ${values.length} runs)`;
}

/** A time, and that of the bare commands for the same segments on the same machine. */
export interface Timed {
  seconds: number;
  bareSeconds: number;
}

/** A row for each name: how many times the bare commands it took, and the seconds of both. */
export function tableOfMultiples(rows: ReadonlyMap<string, readonly Timed[]>): string {
  const lines = [...rows].map(([name, timed]) => {
    const multiples = timed.map(({ seconds, bareSeconds }) => seconds / bareSeconds);
    const spread = `(${Math.min(...multiples).toFixed(2)}–${Math.max(...multiples).toFixed(2)} of ${timed.length})`;
    const [seconds, bare] = (['seconds', 'bareSeconds'] as const).map(
      (key) => `${median(timed.map((each) => each[key])).toFixed(2)} s`,
    );
    return [name, `${median(multiples).toFixed(2)} ${spread}`, seconds!, bare!];
  });
  const all = [['', 'times bare', 'takes', 'bare'], ...lines];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  return all.map((line) => line.map((text, column) => text.padEnd(widths[column]!)).join('  ')).join('\n');
}
