// GIF: which packets of one hold a picture. Demuxers cut a GIF behind each picture, so what follows the last one (GIF89a,
// sections 23 to 26: a graphic control, a comment, a plain text, an application's data) is a packet of its own, with a
// delay that nothing is shown for.

/** As ffprobe names it. */
export const GIF = 'gif';

const EXTENSION = 0x21;
const TRAILER = 0x3b;

/** Whether there is a picture in a packet's bytes, or may be: false only where all of it is known to be none. */
export function holdsPicture(bytes: Uint8Array): boolean {
  let at = 0;
  while (bytes[at] === EXTENSION) {
    at += 2; // its label is the second byte
    for (let size = bytes[at]; size !== 0; size = bytes[at]) {
      if (size === undefined) return true; // it goes on beyond the packet
      at += 1 + size;
    }
    at += 1;
  }
  return at < bytes.length && bytes[at] !== TRAILER;
}
