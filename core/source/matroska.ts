// Gives a Matroska stream, as ffmpeg writes it into a pipe, what only a file can have: a length and an index. The stream
// passes through unchanged but for its head, which is written anew when the end is known; the index follows the media.
// (RFC 9559 Matroska, RFC 8794 EBML. Numbers in comments are sections of the former.)

import { packetTimes } from './packet-times.ts';
import type { CountedPackets, PacketTimes } from './packet-times.ts';
import { countedRate } from './frame-rate.ts';
import type { CountedRate } from './frame-rate.ts';

export interface MatroskaIndexer {
  /** Takes the next bytes of the stream; returns what is to be written now, after the head's place. */
  push(bytes: Uint8Array): Uint8Array[];
  /** The length of the head; undefined until the tracks have been seen. */
  headBytes(): number | undefined;
  /**
   * What is to be written last, the head, which goes to the front, and when the packets of each track are shown.
   * @throws Error where the stream ended before its tracks.
   */
  end(): { head: Uint8Array; index: Uint8Array; tracks: IndexedTrack[]; times: CountedPackets[] };
}

/** What a track really holds, in the order of the tracks. Times are presentation times of frames. */
export interface IndexedTrack {
  kind: 'video' | 'audio';
  frameCount: number;
  firstSeconds: number;
  /** When the last frame ends: by its own duration, else by what is usual or by the distance of the last two. */
  endSeconds: number;
  /** The longest way from a keyframe to the next, or to the end. */
  keyframeSeconds: number;
  /** Of pictures, by the times of all of them. */
  rate?: CountedRate | undefined;
}

export const ID = {
  EBML: 0x1a45dfa3,
  Segment: 0x18538067,
  SeekHead: 0x114d9b74,
  Seek: 0x4dbb,
  SeekID: 0x53ab,
  SeekPosition: 0x53ac,
  Info: 0x1549a966,
  TimestampScale: 0x2ad7b1,
  Duration: 0x4489,
  MuxingApp: 0x4d80,
  WritingApp: 0x5741,
  Tracks: 0x1654ae6b,
  TrackEntry: 0xae,
  TrackNumber: 0xd7,
  TrackType: 0x83,
  CodecID: 0x86,
  DefaultDuration: 0x23e383,
  Cluster: 0x1f43b675,
  Timestamp: 0xe7,
  SimpleBlock: 0xa3,
  BlockGroup: 0xa0,
  Block: 0xa1,
  BlockDuration: 0x9b,
  ReferenceBlock: 0xfb,
  Cues: 0x1c53bb6b,
  CuePoint: 0xbb,
  CueTime: 0xb3,
  CueTrackPositions: 0xb7,
  CueTrack: 0xf7,
  CueClusterPosition: 0xf1,
} as const;

/** What a segment consists of, such as clusters and tags, has an ID of four bytes; what these consist of, a shorter one. */
const LEAST_SEGMENT_ID = 0x10000000;

/** ffmpeg counts milliseconds. */
const TICKS_PER_SECOND = 1000;
const NANOSECONDS_PER_TICK = 1_000_000;
/** All-intra film is not indexed frame by frame: so many milliseconds lie between two entries. */
const CUE_DISTANCE = 500;
/** No frame of anything we accept is larger: 8K, 16 bits, uncompressed. */
const LARGEST_ELEMENT_BYTES = 256 * 1024 * 1024;

/** Twelve hours at 60 fps have fewer pictures. A file of nothing but tiny ones must not fill the memory. */
const MOST_TIMES = 3_000_000;

interface Track extends Seen {
  number: number;
  kind: 'video' | 'audio' | 'other';
  defaultTicks: number | undefined;
  times: PacketTimes;
}

interface Seen {
  frameCount: number;
  first: number;
  last: number;
  beforeLast: number;
  lastTicks: number | undefined;
  lastKeyframe: number;
  longestGap: number;
  /** Of pictures. */
  pictureTimes: number[];
}

interface Cue {
  time: number;
  track: number;
  /** Of the cluster, in bytes since the first. */
  position: number;
}

export function matroskaIndexer(): MatroskaIndexer {
  let pending: Uint8Array = new Uint8Array();
  /** What has come since, while an element is not complete; and how many bytes that and `pending` are to be by then. */
  let [further, furtherBytes, wantedBytes]: [Uint8Array[], number, number] = [[], 0, 0];
  let ebmlHead: Uint8Array | undefined;
  let trackList: Uint8Array | undefined;
  let tracks: Track[] = [];
  let written = 0;
  let hasMedia = false;
  let clusterPosition = 0;
  let clusterTime = 0;
  const cues: Cue[] = [];

  function push(bytes: Uint8Array): Uint8Array[] {
    further.push(bytes);
    furtherBytes += bytes.length;
    if (pending.length + furtherBytes < wantedBytes) return [];
    pending = pending.length === 0 && further.length === 1 ? bytes : Buffer.concat([pending, ...further]);
    [further, furtherBytes, wantedBytes] = [[], 0, 0];
    const passed: Uint8Array[] = [];
    let offset = 0;
    for (;;) {
      const element = elementAt(pending, offset);
      if (!element) break;
      const { id, start, end } = element;
      // These are entered: what is in them is looked at piece by piece, however long they are.
      if (id === ID.Segment) {
        offset = start;
      } else if (id === ID.Cluster) {
        clusterPosition = written;
        hasMedia = true;
        offset = pass(offset, start);
      } else {
        if (end - offset > LARGEST_ELEMENT_BYTES)
          throw new Error(`Matroska: element of ${end - offset} bytes`);
        if (end > pending.length) {
          wantedBytes = end - offset;
          break;
        }
        offset = take(id, offset, start, end);
      }
    }
    pending = pending.subarray(offset);
    return passed;

    function pass(from: number, to: number): number {
      passed.push(pending.subarray(from, to));
      written += to - from;
      return to;
    }

    function take(id: number, from: number, start: number, end: number): number {
      const content = pending.subarray(start, end);
      switch (id) {
        case ID.EBML:
          ebmlHead = Buffer.from(pending.subarray(from, end));
          return end;
        case ID.Tracks:
          trackList = Buffer.from(pending.subarray(from, end));
          tracks = tracksOf(content);
          return end;
        case ID.Timestamp:
          clusterTime = unsigned(content);
          return pass(from, end);
        case ID.SimpleBlock:
          note(content, (content[blockHead(content).length + 2]! & 0x80) !== 0, undefined);
          return pass(from, end);
        case ID.BlockGroup: {
          const parts = new Map(childrenOf(content).map((child) => [child.id, child.content]));
          const block = parts.get(ID.Block);
          const duration = parts.get(ID.BlockDuration);
          if (block) note(block, !parts.has(ID.ReferenceBlock), duration && unsigned(duration));
          return pass(from, end);
        }
        default:
          // The head is written anew, and tags, chapters and the like stay behind: they tell of the uploader. What lies in
          // a cluster stays in it, as its size is written already: ffmpeg 5 puts a checksum there.
          return hasMedia && id < LEAST_SEGMENT_ID ? pass(from, end) : end;
      }
    }
  }

  function note(block: Uint8Array, isKeyframe: boolean, ticks: number | undefined): void {
    const { length, value: number } = blockHead(block);
    const track = tracks.find((candidate) => candidate.number === number);
    if (!track) return;
    const time = clusterTime + new DataView(block.buffer, block.byteOffset + length).getInt16(0);
    track.frameCount += 1;
    track.times.add(time / TICKS_PER_SECOND);
    if (track.kind === 'video' && track.pictureTimes.length < MOST_TIMES) {
      track.pictureTimes.push(time / TICKS_PER_SECOND);
    }
    track.first = Math.min(track.first, time);
    if (time > track.last) {
      [track.beforeLast, track.last, track.lastTicks] = [track.last, time, ticks];
    } else {
      track.beforeLast = Math.max(track.beforeLast, time);
    }
    if (!isKeyframe) return;
    if (track.lastKeyframe > -Infinity)
      track.longestGap = Math.max(track.longestGap, time - track.lastKeyframe);
    track.lastKeyframe = time;
    const indexed = tracks.find(({ kind }) => kind === 'video') ?? tracks[0];
    const latest = cues.at(-1);
    if (track === indexed && (!latest || time >= latest.time + CUE_DISTANCE)) {
      cues.push({ time, track: number, position: clusterPosition });
    }
  }

  function end(): ReturnType<MatroskaIndexer['end']> {
    if (!ebmlHead || !trackList) throw new Error('Matroska: the stream ended before its tracks');
    const indexed = tracks.filter(({ kind, frameCount }) => kind !== 'other' && frameCount > 0);
    const lastTick = Math.max(0, ...indexed.map(endOf));
    const beforeMedia = mediaOffset(trackList);
    const index = cuesElement(cues, beforeMedia);
    const head = headOf(ebmlHead, trackList, {
      durationTicks: lastTick,
      cuesPosition: beforeMedia + written,
      segmentBytes: beforeMedia + written + index.length,
    });
    return {
      head,
      index,
      tracks: indexed.map((track) => ({
        kind: track.kind as 'video' | 'audio',
        frameCount: track.frameCount,
        firstSeconds: track.first / TICKS_PER_SECOND,
        endSeconds: endOf(track) / TICKS_PER_SECOND,
        keyframeSeconds:
          Math.max(track.longestGap, endOf(track) - Math.max(track.first, track.lastKeyframe)) /
          TICKS_PER_SECOND,
        rate: countedRate(track.pictureTimes),
      })),
      times: indexed.map((track) => track.times.counted()),
    };
  }

  return {
    push,
    end,
    headBytes: () =>
      ebmlHead && trackList ? ebmlHead.length + SEGMENT_HEADER_BYTES + mediaOffset(trackList) : undefined,
  };
}

function endOf({ first, last, beforeLast, lastTicks, defaultTicks = Infinity }: Track): number {
  // Fields come one by one, each with the duration of a frame; and where the rate varies, so does the distance.
  const distance = beforeLast >= first ? last - beforeLast : Infinity;
  const usual = Math.min(defaultTicks, distance);
  return last + (lastTicks ?? (Number.isFinite(usual) ? usual : 0));
}

function tracksOf(content: Uint8Array): Track[] {
  return childrenOf(content)
    .filter(({ id }) => id === ID.TrackEntry)
    .map((entry) => {
      const fields = new Map(childrenOf(entry.content).map((child) => [child.id, child.content]));
      const numberAt = (id: number) => {
        const field = fields.get(id);
        return field && unsigned(field);
      };
      const type = numberAt(ID.TrackType);
      const nanoseconds = numberAt(ID.DefaultDuration);
      return {
        number: numberAt(ID.TrackNumber) ?? 0,
        kind: type === 1 ? 'video' : type === 2 ? 'audio' : 'other',
        defaultTicks: nanoseconds && nanoseconds / NANOSECONDS_PER_TICK,
        frameCount: 0,
        first: Infinity,
        last: -Infinity,
        beforeLast: -Infinity,
        lastTicks: undefined,
        lastKeyframe: -Infinity,
        longestGap: 0,
        times: packetTimes(),
        pictureTimes: [],
      };
    });
}

const SEGMENT_HEADER_BYTES = 12;
const OWN_NAME = 'instant-hls';

/** From the start of the segment's content to the first cluster: everything in between is of fixed length. */
const mediaOffset = (trackList: Uint8Array): number =>
  seekHead(0, 0, 0).length + info(0).length + trackList.length;

function headOf(
  ebmlHead: Uint8Array,
  trackList: Uint8Array,
  known: { durationTicks: number; cuesPosition: number; segmentBytes: number },
): Uint8Array {
  const infoPosition = seekHead(0, 0, 0).length;
  const tracksPosition = infoPosition + info(0).length;
  return Buffer.concat([
    ebmlHead,
    idBytes(ID.Segment),
    sizeBytes(known.segmentBytes),
    seekHead(infoPosition, tracksPosition, known.cuesPosition),
    info(known.durationTicks),
    trackList,
  ]);
}

const seekHead = (infoPosition: number, tracksPosition: number, cuesPosition: number): Buffer =>
  element(
    ID.SeekHead,
    ...(
      [
        [ID.Info, infoPosition],
        [ID.Tracks, tracksPosition],
        [ID.Cues, cuesPosition],
      ] as const
    ).map(([id, position]) =>
      element(ID.Seek, element(ID.SeekID, idBytes(id)), element(ID.SeekPosition, uint64(position))),
    ),
  );

function info(durationTicks: number): Buffer {
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(durationTicks);
  return element(
    ID.Info,
    element(ID.TimestampScale, uint64(NANOSECONDS_PER_TICK)),
    element(ID.MuxingApp, Buffer.from(OWN_NAME)),
    element(ID.WritingApp, Buffer.from(OWN_NAME)),
    element(ID.Duration, duration),
  );
}

const cuesElement = (cues: Cue[], beforeMedia: number): Buffer =>
  element(
    ID.Cues,
    ...cues.map(({ time, track, position }) =>
      element(
        ID.CuePoint,
        element(ID.CueTime, uint64(Math.max(0, time))),
        element(
          ID.CueTrackPositions,
          element(ID.CueTrack, uint64(track)),
          element(ID.CueClusterPosition, uint64(beforeMedia + position)),
        ),
      ),
    ),
  );

/** Sizes and numbers always take eight bytes, so that what is known only at the end fits where it belongs. */
const element = (id: number, ...content: Uint8Array[]): Buffer => {
  const bytes = Buffer.concat(content);
  return Buffer.concat([idBytes(id), sizeBytes(bytes.length), bytes]);
};

function idBytes(id: number): Buffer {
  const hex = id.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}

function sizeBytes(size: number): Buffer {
  const bytes = uint64(size);
  bytes[0] = 0x01; // eight bytes follow the marker's bit
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

interface Element {
  id: number;
  content: Uint8Array;
}

export function childrenOf(content: Uint8Array): Element[] {
  const children: Element[] = [];
  for (let offset = 0; offset < content.length;) {
    const found = elementAt(content, offset);
    if (!found || found.end > content.length) break;
    children.push({ id: found.id, content: content.subarray(found.start, found.end) });
    offset = found.end;
  }
  return children;
}

/**
 * Where an element's content begins and ends; undefined while its header is incomplete.
 * @throws Error where no element can begin so
 */
export function elementAt(
  bytes: Uint8Array,
  offset: number,
): { id: number; start: number; end: number } | undefined {
  const idLength = lengthOf(bytes[offset]);
  if (idLength === undefined || idLength > 4) {
    if (offset < bytes.length) throw new Error(`Matroska: no element id (${bytes[offset]})`);
    return undefined;
  }
  const size = variableInteger(bytes, offset + idLength);
  if (!size) return undefined;
  let id = 0;
  for (let index = 0; index < idLength; index += 1) id = id * 256 + bytes[offset + index]!;
  const start = offset + idLength + size.length;
  return { id, start, end: start + size.value };
}

/** A block begins with its track's number, then two bytes of time and one of flags. */
const blockHead = (block: Uint8Array): { length: number; value: number } => {
  const head = variableInteger(block, 0);
  if (!head || block.length < head.length + 3) throw new Error('Matroska: block without its header');
  return head;
};

function variableInteger(bytes: Uint8Array, offset: number): { length: number; value: number } | undefined {
  const length = lengthOf(bytes[offset]);
  if (length === undefined || offset + length > bytes.length) return undefined;
  let value = bytes[offset]! & (0xff >> length);
  for (let index = 1; index < length; index += 1) value = value * 256 + bytes[offset + index]!;
  return { length, value };
}

/** The position of the first set bit says how many bytes a variable-length integer has. */
const lengthOf = (first: number | undefined): number | undefined =>
  first === undefined || first === 0 ? undefined : Math.clz32(first) - 23;

export const unsigned = (content: Uint8Array): number =>
  content.reduce((value, byte) => value * 256 + byte, 0);
