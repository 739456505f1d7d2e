// AAC in ADTS (ISO/IEC 13818-7, section 6.2), frame by frame.

const HEADER_BYTES = 7;

/**
 * Splits an ADTS stream into its frames. Throws where a sync word is missing: we wrote the stream ourselves.
 * @param isCutOff whether it may end within a frame, which is left out
 */
export function adtsFrames(bytes: Uint8Array, isCutOff = false): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (isCutOff && offset + HEADER_BYTES > bytes.length) break;
    const [first, second, , fourth, fifth, sixth] = bytes.subarray(offset, offset + 6);
    if (first !== 0xff || (second! & 0xf6) !== 0xf0 || sixth === undefined) {
      throw new Error(`ADTS: no frame at byte ${offset} of ${bytes.length}`);
    }
    const length = ((fourth! & 0x03) << 11) | (fifth! << 3) | (sixth >> 5);
    if (isCutOff && offset + length > bytes.length) break;
    if (length < HEADER_BYTES || offset + length > bytes.length)
      throw new Error(`ADTS: frame at byte ${offset} is cut off`);
    frames.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return frames;
}

/** In hertz, as a frame's header tells. */
export function samplingRateOf(frame: Uint8Array): number {
  const rate = SAMPLING_RATES[(frame[2]! >> 2) & 0x0f];
  if (!rate) throw new Error('ADTS: a frame does not tell its sampling rate');
  return rate;
}

const SAMPLING_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
] as const;
