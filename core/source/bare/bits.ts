// Reads the headers of H.264 and HEVC, bit by bit (ITU-T H.264 and H.265, sections 7.2 and 9.1 or 9.2).

export interface Bits {
  /** An unsigned number of `count` bits, up to 32. Behind the end there are zeros. */
  u(count: number): number;
  flag(): boolean;
  /** Exp-Golomb code, unsigned and signed. */
  ue(): number;
  se(): number;
  skip(count: number): void;
}

/** @param nal the payload of a NAL unit, from its first byte after the header */
export function bitsOf(nal: Uint8Array): Bits {
  const bytes = withoutEmulation(nal);
  let position = 0;
  const bit = (): number => {
    const byte = bytes[position >> 3] ?? 0;
    const value = (byte >> (7 - (position & 7))) & 1;
    position += 1;
    return value;
  };
  const u = (count: number): number => {
    let value = 0;
    for (let read = 0; read < count; read += 1) value = value * 2 + bit();
    return value;
  };
  const ue = (): number => {
    let zeros = 0;
    while (zeros < 32 && bit() === 0) zeros += 1;
    return 2 ** zeros - 1 + u(zeros);
  };
  return {
    u,
    ue,
    flag: () => bit() === 1,
    se() {
      const code = ue();
      return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
    },
    skip: (count) => void (position += count),
  };
}

/** A 3 after two zeros stands there only so that no start code does. */
function withoutEmulation(nal: Uint8Array): Uint8Array {
  const kept: number[] = [];
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    kept.push(byte);
  }
  return Uint8Array.from(kept);
}
