// What segments are made of, whatever they are packed in.

/** A picture, or a frame of sound, in the order of decoding. */
export interface AccessUnit {
  /** When it is shown and when it is decoded, in ticks of 90 kHz below 2^33. */
  ptsTicks: number;
  dtsTicks: number;
  /** Whether decoding can begin here. */
  isKeyframe: boolean;
  /** H.264 in Annex B with its delimiter; AAC in ADTS. */
  bytes: Uint8Array;
}
