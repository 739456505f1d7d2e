// Time stamps of MPEG (ISO/IEC 13818-1, section 2.4.3.7): ticks of 90 kHz in 33 bits, which wrap after 26.5 hours.

const WRAP_TICKS = 2 ** 33;
export const TIMESTAMP_BYTES = 5;

export const wrapped = (ticks: number): number => ((ticks % WRAP_TICKS) + WRAP_TICKS) % WRAP_TICKS;

/** How much later `to` is than `from`, if they are less than 13 hours apart; negative where it is earlier. */
export function ticksBetween(from: number, to: number): number {
  const ticks = wrapped(to - from);
  return ticks < WRAP_TICKS / 2 ? ticks : ticks - WRAP_TICKS;
}

export function readTimestamp(bytes: Uint8Array, at: number): number {
  const [first, second, third, fourth, fifth] = bytes.subarray(at, at + TIMESTAMP_BYTES);
  // The top bits come by a product: 33 bits are more than `<<` can hold.
  return (
    ((first! >> 1) & 7) * 2 ** 30 + ((second! << 22) | ((third! >> 1) << 15) | (fourth! << 7) | (fifth! >> 1))
  );
}

/** `kind` is 2 for a PTS alone, 3 for a PTS in front of a DTS, and 1 for that DTS. */
export function writeTimestamp(bytes: Uint8Array, at: number, kind: 1 | 2 | 3, ticks: number): void {
  const value = wrapped(ticks);
  // After each of the three parts comes a bit that is always 1, so that no start code arises.
  bytes[at] = (kind << 4) | (Math.floor(value / 2 ** 30) << 1) | 1;
  bytes[at + 1] = (value >>> 22) & 0xff;
  bytes[at + 2] = ((value >>> 14) & 0xfe) | 1;
  bytes[at + 3] = (value >>> 7) & 0xff;
  bytes[at + 4] = ((value << 1) & 0xfe) | 1;
}
