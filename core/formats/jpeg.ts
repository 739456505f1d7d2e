// JPEG, as far as a picture's being whole goes (ITU-T T.81, table B.1).

/** Begins with "start of image" and ends with "end of image": whoever is cut off in between does not. */
export const isWholeJpeg = (bytes: Uint8Array): boolean =>
  bytes.length > 4 &&
  bytes[0] === 0xff &&
  bytes[1] === 0xd8 &&
  bytes[bytes.length - 2] === 0xff &&
  bytes[bytes.length - 1] === 0xd9;
