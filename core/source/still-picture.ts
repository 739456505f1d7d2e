// Files that hold a still picture and no film, told by their first bytes. Some of them are kept in the boxes of MP4, so
// that ffprobe takes them for a film whose end is missing.

export const PHOTO = 'The file is a photo, not a video or audio file.';

/**
 * Major brands of HEIF (ISO/IEC 23008-12) and AVIF. Those of image sequences (`msf1`, `hevc`, `avis`) are films, and so is
 * what has an index of tracks under one of these.
 */
const PHOTO_BRANDS = ['mif1', 'mif2', 'miaf', 'heic', 'heix', 'heim', 'heis', 'avif'];

/** Whether the first box says that the file is a photo: it is one where it has no index of tracks. */
export const isOfPhotoBrand = (head: Uint8Array): boolean =>
  textAt(head, 4, 8) === 'ftyp' && PHOTO_BRANDS.includes(textAt(head, 8, 12));

/** PNG, JPEG, TIFF and the raw photos made of it, WebP, JPEG 2000, JPEG XL, Photoshop. Those that move are none. */
export const isStillPicture = (head: Uint8Array): boolean => {
  if (isJpeg(head)) return true;
  if (textAt(head, 0, 4) === 'RIFF' && textAt(head, 8, 12) === 'WEBP') return !isAnimatedWebp(head);
  if (startsWith(head, PNG)) return !bytesOf(head).includes('acTL');
  return SIGNATURES.some((signature) => startsWith(head, signature));
};

export const isJpeg = (head: Uint8Array): boolean => startsWith(head, 'ffd8ff');

const PNG = '89504e470d0a1a0a';
const SIGNATURES = [
  '49492a00', // TIFF, little-endian; DNG, CR2, NEF, ARW
  '4d4d002a', // TIFF, big-endian
  '0000000c6a5020200d0a870a', // JPEG 2000
  '0000000c4a584c200d0a870a', // JPEG XL
  '38425053', // Photoshop
];

const isAnimatedWebp = (head: Uint8Array): boolean =>
  textAt(head, 12, 16) === 'VP8X' && ((head[20] ?? 0) & 0x02) !== 0;

/**
 * Whether a file that begins as a JPEG goes on with others of its size, as bare Motion JPEG does. A camera may put one or
 * two more behind a photo: a preview, the other eye's view, a map of brightness.
 */
export async function isMotionJpeg(
  bytesAt: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<boolean> {
  let offset = 0;
  let size: string | undefined;
  for (let picture = 0; picture < LEAST_PICTURES; picture += 1) {
    const found = await jpegAt(bytesAt, offset);
    if (!found || (size ??= found.size) !== found.size) return false;
    offset = found.end;
  }
  return true;
}

const LEAST_PICTURES = 3;
const WINDOW_BYTES = 64 * 1024;
const MARKER = { SOI: 0xd8, EOI: 0xd9, SOS: 0xda } as const;

/** The JPEG at `offset` (ITU-T T.81, annex B): its sides, and where it ends. */
async function jpegAt(
  bytesAt: (offset: number, length: number) => Promise<Uint8Array>,
  start: number,
): Promise<{ size: string; end: number } | undefined> {
  const [first, second] = await bytesAt(start, 2);
  if (first !== 0xff || second !== MARKER.SOI) return undefined;
  let size = '';
  for (let offset = start + 2; ;) {
    const segment = await bytesAt(offset, 9);
    const marker = segment[1];
    if (segment[0] !== 0xff || marker === undefined) return undefined;
    if (marker === MARKER.EOI) return { size, end: offset + 2 };
    if (segment.length < 4) return undefined;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) size = segment.subarray(5, 9).join();
    offset += 2 + ((segment[2]! << 8) | segment[3]!);
    if (marker !== MARKER.SOS) continue;
    const next = await afterScan(bytesAt, offset);
    if (next === undefined) return undefined;
    offset = next;
  }
}

/** Where coded data end: at a marker that is neither a restart nor a stuffed byte. */
async function afterScan(
  bytesAt: (offset: number, length: number) => Promise<Uint8Array>,
  start: number,
): Promise<number | undefined> {
  for (let offset = start; ;) {
    const window = await bytesAt(offset, WINDOW_BYTES);
    if (window.length < 2) return undefined;
    for (let index = window.indexOf(0xff); index >= 0 && index + 1 < window.length;) {
      const next = window[index + 1]!;
      if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return offset + index;
      index = window.indexOf(0xff, index + 1);
    }
    // The last byte may be the first of a marker.
    offset += window.length - 1;
  }
}

const startsWith = (head: Uint8Array, hex: string): boolean =>
  bytesOf(head.subarray(0, hex.length / 2)).toString('hex') === hex;

const textAt = (head: Uint8Array, from: number, to: number): string =>
  bytesOf(head.subarray(from, to)).toString('latin1');

const bytesOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
