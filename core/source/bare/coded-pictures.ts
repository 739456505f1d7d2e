// Coded pictures, as they follow each other in a bare stream, and what their headers say of the order in which they are
// shown.

import type { Fraction } from '../../fraction.ts';

/** What a NAL unit is to whoever cuts a stream into pictures. */
export type NalUnit =
  /** A slice: the first of a picture, another one of the same, or the first of the other field of the same frame. */
  | { kind: 'slice'; of: 'new' | 'same' | 'other-field'; picture: PictureHeader }
  /** Stands before a picture, and so ends the one before. `isSetup` is what decoders need to begin. */
  | { kind: 'before'; isSetup: boolean }
  /** Belongs to the picture that it follows. */
  | { kind: 'after' }
  /** Slices that no decoder shows: those before anything that they refer to. */
  | { kind: 'dropped' };

export interface PictureHeader {
  /** Pictures are shown sequence by sequence, and in a sequence by their order. */
  startsSequence: boolean;
  order: number;
  isKeyframe: boolean;
}

/** Reads NAL units (without start codes) one by one; it remembers what later ones refer to. */
export interface HeaderReader {
  read(nal: Uint8Array): NalUnit;
  /** What the stream says of its rate, as far as it has been read. */
  frameRate(): Fraction | undefined;
}

// A file may hold anything: what is read of it, and kept, is bounded.

/** Of a slice; what is read of it takes a dozen bytes. */
export const HEADER_BYTES = 64;
/** Of a parameter set: one with all scaling lists takes a few hundred. */
export const SET_BYTES = 4096;
export const MOST_SEQUENCE_SETS = 32;
export const MOST_PICTURE_SETS = 256;
/** No number in these headers that is told apart by its bits has more. */
export const bounded = (bits: number): number => Math.min(bits, 16);
