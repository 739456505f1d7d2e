// Containers of video and sound, told by their first bytes: what is in one is meant to be a film, even where it cannot be
// read.

const SIGNATURES: readonly { offset: number; hex: string }[] = [
  { offset: 4, hex: '66747970' }, // `ftyp`: MP4, QuickTime
  { offset: 0, hex: '1a45dfa3' }, // Matroska, WebM
  { offset: 8, hex: '41564920' }, // RIFF `AVI `
  { offset: 8, hex: '57415645' }, // RIFF `WAVE`
  { offset: 0, hex: '464c5601' }, // Flash Video
  { offset: 0, hex: '3026b2758e66cf11' }, // Windows Media
  { offset: 0, hex: '4f676753' }, // Ogg
  { offset: 0, hex: '000001ba' }, // MPEG program stream
  { offset: 0, hex: '060e2b34' }, // MXF
  { offset: 0, hex: '664c6143' }, // FLAC
  { offset: 0, hex: '494433' }, // MP3 with tags
];

export const isMediaContainer = (head: Uint8Array): boolean =>
  SIGNATURES.some(({ offset, hex }) => {
    const found = head.subarray(offset, offset + hex.length / 2);
    return Buffer.from(found).toString('hex') === hex;
  });
