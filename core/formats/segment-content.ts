// What a segment holds, as far as it is known before it is encoded.

export interface SegmentContent {
  /** The most that the codec makes of it. */
  codecBits: number;
  units: number;
  seconds: number;
}
