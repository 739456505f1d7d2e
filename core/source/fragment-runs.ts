// Gives each run of samples (`trun`) in a fragmented MP4 a track fragment (`traf`) of its own, with its own time. Apple's
// writers put several runs into one, and the demuxer of ffmpeg 4.1 begins the time anew at each of them. Everything else
// passes through as it is. (ISO/IEC 14496-12; numbers in comments are sections.)

import { BOX_HEADER_BYTES, boxAt } from './mp4.ts';
import type { Box } from './mp4.ts';

/** What a sample is where its run does not say (`trex`, 8.8.3). */
interface SampleDefaults {
  duration: number;
  sizeBytes: number;
}

/** A fragment's head is a list of its samples: this is one of a million. */
const LARGEST_HEAD_BYTES = 16 * 1024 * 1024;
/** Of these, the first is needed; the others are indexes, and would lead elsewhere when the heads have grown. */
const HEADS = ['moov', 'moof', 'sidx', 'mfra'];
/** Each run takes some 60 bytes more: this lets a thousand short ones pass, and any number of those with many samples. */
const mostWritten = (headBytes: number): number => 2 * headBytes + 64 * 1024;

/**
 * The file with one run in each track fragment.
 * @param file its bytes from the first to the last
 */
export async function* runsApart(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const defaults = new Map<number, SampleDefaults>();
  let pending = Buffer.alloc(0);
  /** Bytes of the present box that are still to pass. */
  let passing = 0;
  /** Where `pending` begins, in the file. */
  let offset = 0;
  for await (const bytes of file) {
    pending = Buffer.concat([pending, bytes]);
    for (;;) {
      if (passing > 0) {
        const passed = pending.subarray(0, Math.min(passing, pending.length));
        if (passed.length === 0) break;
        yield take(passed.length);
        passing -= passed.length;
        continue;
      }
      if (pending.length < BOX_HEADER_BYTES) break;
      const box = boxAt(pending, 0, Infinity);
      if (!box) {
        passing = Infinity; // whatever it is, it is no box
        continue;
      }
      if (!HEADS.includes(box.type) || box.end > LARGEST_HEAD_BYTES) {
        passing = box.end;
        continue;
      }
      if (pending.length < box.end) break;
      const start = offset;
      const head = take(box.end);
      yield rewritten(head, box, start);
    }
  }
  if (pending.length > 0) yield pending;

  function take(length: number): Buffer {
    const taken = pending.subarray(0, length);
    pending = pending.subarray(length);
    offset += length;
    return taken;
  }

  function rewritten(head: Buffer, box: Box, start: number): Buffer {
    if (box.type === 'moof') {
      try {
        return fragmentOf(head, box, start, defaults);
      } catch (error) {
        // Lengths that cannot be true: whoever reads it next will say so.
        if (error instanceof RangeError) return head;
        throw error;
      }
    }
    if (box.type !== 'moov') {
      const unused = Buffer.from(head);
      unused.write('free', 4, 'latin1');
      return unused;
    }
    for (const mvex of childrenOf(head, box).filter(({ type }) => type === 'mvex')) {
      for (const { type, start: at, end } of childrenOf(head, mvex)) {
        if (type !== 'trex' || end < at + 20) continue;
        const own = { duration: head.readUInt32BE(at + 12), sizeBytes: head.readUInt32BE(at + 16) };
        defaults.set(head.readUInt32BE(at + 4), own);
      }
    }
    return head;
  }
}

/** A run as it is read: where its samples are, from the start of the fragment, and what is in its box. */
interface Run {
  header: TrackHeader;
  /** Of its first sample; undefined where the track fragment does not say when it begins. */
  time: bigint | undefined;
  dataOffset: number;
  flags: number;
  version: number;
  sampleCount: number;
  /** From the first sample's flags, if they are there, to the end. */
  rest: Buffer;
}

interface TrackHeader {
  trackId: number;
  flags: number;
  /** The fields after the place of the base offset. */
  rest: Buffer;
  defaults: SampleDefaults;
}

const BOX_BYTES = 8;
/** Of a track fragment with one run, without the rest of either's header: `traf`, `tfhd`, `tfdt` and `trun`. */
const RUN_BYTES = 4 * BOX_BYTES + 8 + 12 + 12;

/** Flags of `tfhd` (8.8.7) and `trun` (8.8.8). */
const BASE_OFFSET = 0x1;
const BASE_IS_MOOF = 0x020000;
const DATA_OFFSET = 0x1;
const FIRST_FLAGS = 0x4;

function fragmentOf(
  moof: Buffer,
  box: Box,
  start: number,
  defaults: ReadonlyMap<number, SampleDefaults>,
): Buffer {
  const runs: Run[] = [];
  const others: Buffer[] = [];
  let [implicitBase, writtenBytes] = [0, BOX_BYTES];
  for (const child of childrenOf(moof, box)) {
    if (child.type !== 'traf') {
      others.push(moof.subarray(headOf(child), child.end));
      writtenBytes += child.end - headOf(child);
      continue;
    }
    const parts = childrenOf(moof, child);
    const tfhd = parts.find(({ type }) => type === 'tfhd');
    if (!tfhd) continue;
    const header = trackHeader(moof.subarray(tfhd.start, tfhd.end), defaults);
    const base = baseOf(moof.subarray(tfhd.start, tfhd.end), header, start, implicitBase);
    const tfdt = parts.find(({ type }) => type === 'tfdt');
    let time = tfdt && timeIn(moof.subarray(tfdt.start, tfdt.end));
    let next = base;
    for (const trun of parts.filter(({ type }) => type === 'trun')) {
      const { run, durations, sizeBytes } = runOf(moof.subarray(trun.start, trun.end), header, base, next);
      runs.push({ ...run, time });
      writtenBytes += RUN_BYTES + header.rest.length + run.rest.length;
      if (writtenBytes > mostWritten(moof.length)) return moof;
      if (time !== undefined) time += BigInt(durations);
      next = run.dataOffset + sizeBytes;
    }
    implicitBase = next;
  }
  const written = (growth: number) =>
    boxOf('moof', ...others, ...runs.map((run) => trackFragment(run, growth)));
  // Their offsets are of fixed length, so the growth is the same whatever they say.
  return written(written(0).length - moof.length);
}

function trackHeader(tfhd: Buffer, defaults: ReadonlyMap<number, SampleDefaults>): TrackHeader {
  const flags = tfhd.readUInt32BE(0) & 0xffffff;
  const trackId = tfhd.readUInt32BE(4);
  const restAt = flags & BASE_OFFSET ? 16 : 8;
  // What else is in the box has no meaning, and is repeated with each run.
  const fields = [0x2, 0x8, 0x10, 0x20].filter((flag) => flags & flag);
  const rest = tfhd.subarray(restAt, restAt + 4 * fields.length);
  const own = { ...(defaults.get(trackId) ?? { duration: 0, sizeBytes: 0 }) };
  let at = flags & 0x2 ? 4 : 0; // the sample description
  if (flags & 0x8) {
    own.duration = rest.readUInt32BE(at);
    at += 4;
  }
  if (flags & 0x10) own.sizeBytes = rest.readUInt32BE(at);
  return { trackId, flags, rest, defaults: own };
}

function baseOf(tfhd: Buffer, { flags }: TrackHeader, start: number, implicitBase: number): number {
  if (flags & BASE_OFFSET) return Number(tfhd.readBigUInt64BE(8)) - start;
  return flags & BASE_IS_MOOF ? 0 : implicitBase;
}

const timeIn = (tfdt: Buffer): bigint =>
  tfdt[0] === 1 ? tfdt.readBigUInt64BE(4) : BigInt(tfdt.readUInt32BE(4));

function runOf(
  trun: Buffer,
  header: TrackHeader,
  base: number,
  next: number,
): { run: Omit<Run, 'time'>; durations: number; sizeBytes: number } {
  const flags = trun.readUInt32BE(0) & 0xffffff;
  const sampleCount = trun.readUInt32BE(4);
  const restAt = flags & DATA_OFFSET ? 12 : 8;
  const sampleBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
  const samplesAt = restAt + (flags & FIRST_FLAGS ? 4 : 0);
  const sumOf = (isThere: boolean, within: number, each: number): number => {
    if (!isThere) return sampleCount * each;
    let sum = 0;
    for (let sample = 0; sample < sampleCount; sample += 1) {
      sum += trun.readUInt32BE(samplesAt + sample * sampleBytes + within);
    }
    return sum;
  };
  const durations = sumOf(Boolean(flags & 0x100), 0, header.defaults.duration);
  const sizeBytes = sumOf(Boolean(flags & 0x200), flags & 0x100 ? 4 : 0, header.defaults.sizeBytes);
  return {
    durations,
    sizeBytes,
    run: {
      ...{ header, flags, sampleCount, version: trun[0]! },
      dataOffset: flags & DATA_OFFSET ? base + trun.readInt32BE(8) : next,
      rest: trun.subarray(restAt),
    },
  };
}

function trackFragment({ header, time, dataOffset, flags, version, sampleCount, rest }: Run, growth: number) {
  const ownFlags = (header.flags & ~BASE_OFFSET) | BASE_IS_MOOF;
  return boxOf(
    'traf',
    boxOf('tfhd', numbers(ownFlags, header.trackId), header.rest),
    ...(time === undefined ? [] : [boxOf('tfdt', numbers(0x01000000), bigNumber(time))]),
    boxOf(
      'trun',
      numbers(((version << 24) | flags | DATA_OFFSET) >>> 0, sampleCount),
      signedNumber(dataOffset + growth),
      rest,
    ),
  );
}

function childrenOf(bytes: Buffer, parent: Box): Box[] {
  const children: Box[] = [];
  for (let offset = parent.start; offset + 8 <= parent.end;) {
    const box = boxAt(bytes.subarray(offset, offset + BOX_HEADER_BYTES), offset, parent.end);
    if (!box || box.end > parent.end) break;
    children.push(box);
    offset = box.end;
  }
  return children;
}

/** Where a child's header begins: those of large boxes do not occur in a head. */
const headOf = ({ start }: Box): number => start - 8;

function boxOf(type: string, ...content: Uint8Array[]): Buffer {
  const length = content.reduce((sum, bytes) => sum + bytes.length, 8);
  return Buffer.concat([numbers(length), Buffer.from(type, 'latin1'), ...content]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}

function signedNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function bigNumber(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
