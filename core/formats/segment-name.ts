// How segments are named, in the store as in ffmpeg's folders.

export const segmentName = (index: number, extension: string): string =>
  `${String(index).padStart(5, '0')}.${extension}`;
