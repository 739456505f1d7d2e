// Just enough of MP4 and QuickTime (ISO/IEC 14496-12) to find out that a file is locked, or that its media lie elsewhere,
// and when its pictures are shown.

export interface Box {
  type: string;
  /** Of what is in it, and of its end, in bytes from the start of the file. */
  start: number;
  end: number;
}

/** As long as a box header can be. */
export const BOX_HEADER_BYTES = 16;

/** The box whose header begins `header`, at `offset` of a file or box that ends at `limit`; undefined where there is none. */
export function boxAt(header: Uint8Array, offset: number, limit: number): Box | undefined {
  const view = viewOf(header);
  if (view.byteLength < 8) return undefined;
  const size = view.getUint32(0);
  const type = textAt(header, 4);
  if (size === 0) return { type, start: offset + 8, end: limit };
  if (size !== 1) return size < 8 ? undefined : { type, start: offset + 8, end: offset + size };
  if (view.byteLength < 16) return undefined;
  const large = Number(view.getBigUint64(8));
  return large < 16 || !Number.isSafeInteger(offset + large)
    ? undefined
    : { type, start: offset + 16, end: offset + large };
}

/** Encrypted under ISO/IEC 23001-7 (common encryption) and its kin, or by the iTunes Store. */
const ENCRYPTED_ENTRIES = ['encv', 'enca', 'enct', 'encs', 'encm', 'drms', 'drmi', 'aavd'];

/** Whether a sample description (`stsd`, without its header) says that samples are encrypted. */
export const isEncrypted = (stsd: Uint8Array): boolean =>
  entriesOf(stsd).some(({ type }) => ENCRYPTED_ENTRIES.includes(type));

/** Whether a data reference (`dref`, without its header) names another file: an entry not flagged as this file, with a name. */
export const isElsewhere = (dref: Uint8Array): boolean =>
  entriesOf(dref).some(({ bytes }) => {
    const [version, high, middle, low, ...name] = bytes;
    if (low === undefined) return false;
    const isThisFile = (low & 1) === 1;
    return !isThisFile && name.some((byte) => byte !== 0) && version === 0 && high === 0 && middle === 0;
  });

/**
 * What hides from a demuxer which codec a track is in, so that it lists the track as one that it does not know.
 * @param stsd the track's sample description, without its header
 * @param offset of `stsd` in the file
 */
export function hiddenCodec(stsd: Uint8Array, offset: number): { offset: number; bytes: Uint8Array }[] {
  const bytes = Buffer.from(stsd);
  const typeAt = 12; // after version, flags, count and the first entry's size
  const setupAt = bytes.indexOf('esds', typeAt);
  if (bytes.length < typeAt + 4) return [];
  return [
    { offset: offset + typeAt, bytes: Buffer.from('hide') },
    ...(setupAt < 0 ? [] : [{ offset: offset + setupAt, bytes: Buffer.from('free') }]),
  ];
}

/** Units of a track's times in a second, of its media header (`mdhd`, without its header). */
export function timescaleOf(mdhd: Uint8Array): number | undefined {
  const view = viewOf(mdhd);
  const at = view.byteLength > 0 && view.getUint8(0) === 1 ? 20 : 12;
  return (at + 4 <= view.byteLength && view.getUint32(at)) || undefined;
}

/** Twelve hours at 60 fps have more; what they begin with tells of the rest. */
const MOST_TIMES = 1_000_000;

/**
 * When a track's samples are shown, in units of its timescale, in the order in which they are stored.
 * @param stts how long each lasts, @param ctts how much later than decoded it is shown: both without their headers, and
 *   perhaps cut off
 */
export function sampleTimes(stts: Uint8Array, ctts: Uint8Array | undefined): number[] {
  const times: number[] = [];
  let time = 0;
  for (const { count, value } of runsOf(stts)) {
    for (let left = count; left > 0 && times.length < MOST_TIMES; left -= 1) {
      times.push(time);
      time += value;
    }
  }
  if (!ctts) return times;
  let sample = 0;
  for (const { count, value } of runsOf(ctts)) {
    for (let left = count; left > 0 && sample < times.length; left -= 1, sample += 1) {
      // Signed, whatever the version says: that is how files are written.
      times[sample]! += value | 0;
    }
  }
  return times.slice(0, sample);
}

/** A version, flags, a count of entries, and in each how many samples a value is of. */
function* runsOf(table: Uint8Array): Generator<{ count: number; value: number }> {
  const view = viewOf(table);
  const entries = view.byteLength >= 8 ? view.getUint32(4) : 0;
  for (let entry = 0; entry < entries && 16 + 8 * entry <= view.byteLength; entry += 1) {
    yield { count: view.getUint32(8 + 8 * entry), value: view.getUint32(12 + 8 * entry) };
  }
}

/** `stsd` and `dref` are both a version, flags, a count, and boxes. */
function entriesOf(list: Uint8Array): { type: string; bytes: Uint8Array }[] {
  const entries = [];
  for (let offset = 8; offset + 8 <= list.length;) {
    const box = boxAt(list.subarray(offset, offset + BOX_HEADER_BYTES), offset, list.length);
    if (!box) break;
    entries.push({ type: box.type, bytes: list.subarray(box.start, box.end) });
    offset = box.end;
  }
  return entries;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const textAt = (bytes: Uint8Array, offset: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + 4));
