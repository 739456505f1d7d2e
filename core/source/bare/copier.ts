// Copies a bare stream of H.264 or HEVC into a Matroska stream. ffmpeg 4.1 does not: it gives pictures that are shown in
// another order than they are coded in no time at all, and no muxer takes them then. Here each picture's place comes from
// its header. The stream is as ffmpeg would write it into a pipe (see matroska.ts), and pictures stay in start-code form,
// which ffmpeg's decoders take as well: nobody else reads it.

import { SourceError } from '../../errors.ts';
import type { Fraction } from '../../fraction.ts';
import { valueOf } from '../../fraction.ts';
import type { HeaderReader, PictureHeader } from './coded-pictures.ts';
import { h264Headers } from './h264.ts';
import { hevcHeaders } from './hevc.ts';
import { blockOf, clusterOf, headOf } from './matroska-stream.ts';
import type { TimedPicture } from './matroska-stream.ts';

export interface BareCopier {
  /** Takes the next bytes of the stream; returns what can be written of the copy. */
  push(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

const CODECS: Record<string, { id: string; headers: () => HeaderReader }> = {
  h264: { id: 'V_MPEG4/ISO/AVC', headers: h264Headers },
  hevc: { id: 'V_MPEGH/ISO/HEVC', headers: hevcHeaders },
};

/** No decoder may have to hold back more pictures than this before it shows one (H.264, A.3.1; H.265, A.4.2). */
const MOST_HELD = 16;
const USUAL_RATE: Fraction = { num: 25, den: 1 };
const START_CODE = Buffer.from([0, 0, 0, 1]);
/** No coded picture of anything that we accept is larger; so many of them are held at once. */
const LARGEST_PICTURE_BYTES = 16 * 1024 * 1024;
/** HEVC allows 600 slices in a picture (A.4.1), H.264 one for each of 36,864 blocks of 4K (A.3.1). Each unit takes memory. */
const MOST_UNITS = 65_536;
/** Pictures that have a number wait for one before them that has none: a stream may make them wait for ever. */
const MOST_WAITING_BYTES = (MOST_HELD + 1) * LARGEST_PICTURE_BYTES;
/** What a cluster may hold, so that times in it fit 16 bits and memory is bounded. */
const CLUSTER_MS = 5000;
const CLUSTER_BYTES = 4 * 1024 * 1024;

interface Picture extends PictureHeader {
  sequence: number;
  units: Units;
  /** Its number in the order of showing; undefined until all before it are known. */
  shown: number | undefined;
}

/** NAL units that are kept, within bounds. */
interface Units {
  list: Uint8Array[];
  sizeBytes: number;
}

const noUnits = (): Units => ({ list: [], sizeBytes: 0 });

/** @throws SourceError DAMAGED where no picture has so many, or such large ones */
function keep(units: Units, unit: Uint8Array): void {
  units.list.push(unit);
  units.sizeBytes += unit.length;
  if (units.list.length > MOST_UNITS || units.sizeBytes > LARGEST_PICTURE_BYTES)
    throw new SourceError('DAMAGED');
}

export const isCopiedHere = (format: string): boolean => Object.hasOwn(CODECS, format);

/** @param toldRate of the probe, for streams whose rate is not read here */
export function bareCopier(format: string, toldRate: Fraction | undefined): BareCopier {
  const { id, headers } = CODECS[format]!;
  const reader = headers();
  const split = unitSplitter();
  const setup = noUnits();
  let before = noUnits();
  let current: Picture | undefined;
  /** In the order of coding; those at the front wait for their number only. */
  const coded: Picture[] = [];
  let codedBytes = 0;
  /** Of those, the ones without a number yet. */
  let held: Picture[] = [];
  let sequence = 0;
  let next = 0;
  let isBegun = false;
  let cluster: TimedPicture[] = [];
  let clusterBytes = 0;
  let written: Uint8Array[] = [];

  function take(unit: Uint8Array): void {
    const nal = reader.read(unit);
    switch (nal.kind) {
      case 'before':
        if (nal.isSetup && !current && coded.length === 0 && !isBegun) keep(setup, unit);
        keep(before, unit);
        return;
      case 'after':
        if (current) keep(current.units, unit);
        return;
      case 'dropped':
        before = noUnits();
        return;
      case 'slice':
        if (nal.of === 'new') begin(nal.picture);
        if (current) for (const kept of [...before.list, unit]) keep(current.units, kept);
        before = noUnits();
    }
  }

  function begin(picture: PictureHeader): void {
    finishCurrent();
    if (picture.startsSequence) {
      number(0);
      sequence += 1;
    }
    current = { ...picture, sequence, units: noUnits(), shown: undefined };
  }

  function finishCurrent(): void {
    if (!current) return;
    coded.push(current);
    codedBytes += current.units.sizeBytes;
    held.push(current);
    current = undefined;
    number(MOST_HELD);
  }

  /** Numbers pictures until so many are held back. */
  function number(most: number): void {
    if (held.length > most) held.sort((a, b) => a.sequence - b.sequence || a.order - b.order);
    while (held.length > most) {
      held[0]!.shown = next;
      next += 1;
      held = held.slice(1);
    }
    while (coded[0]?.shown !== undefined) {
      codedBytes -= coded[0].units.sizeBytes;
      write(coded.shift()!);
    }
    if (codedBytes > MOST_WAITING_BYTES) throw new SourceError('DAMAGED');
  }

  const rate = (): Fraction => {
    const told = reader.frameRate() ?? toldRate ?? USUAL_RATE;
    const value = valueOf(told);
    return Number.isFinite(value) && value >= 1 && value <= 1000 ? told : USUAL_RATE;
  };

  function write({ shown, units, isKeyframe }: Picture): void {
    if (!isBegun) written.push(headOf(id, rate(), inStream(setup.list)));
    isBegun = true;
    const { num, den } = rate();
    const milliseconds = Math.round((shown! * 1000 * den) / num);
    const first = cluster[0]?.milliseconds ?? milliseconds;
    if (isKeyframe || Math.abs(milliseconds - first) > CLUSTER_MS || clusterBytes > CLUSTER_BYTES)
      closeCluster();
    const bytes = inStream(units.list);
    cluster.push({ milliseconds, isKeyframe, bytes });
    clusterBytes += bytes.length;
  }

  function closeCluster(): void {
    const [first] = cluster;
    if (!first) return;
    const blocks = cluster.map((picture) => blockOf(picture, first.milliseconds));
    written.push(clusterOf(first.milliseconds, blocks));
    [cluster, clusterBytes] = [[], 0];
  }

  function flushed(): Uint8Array {
    const bytes = Buffer.concat(written);
    written = [];
    return bytes;
  }

  return {
    push(bytes) {
      for (const unit of split.push(bytes)) take(unit);
      return flushed();
    },
    end() {
      for (const unit of split.end()) take(unit);
      finishCurrent();
      number(0);
      closeCluster();
      return flushed();
    },
  };
}

const inStream = (units: readonly Uint8Array[]): Buffer =>
  Buffer.concat(units.flatMap((unit) => [START_CODE, unit]));

/** Cuts a byte stream (H.264 and H.265, annex B) into its NAL units. */
function unitSplitter() {
  const mark = Buffer.from([0, 0, 1]);
  let pending = Buffer.alloc(0);
  let isBegun = false;

  function push(bytes: Uint8Array): Uint8Array[] {
    const units: Uint8Array[] = [];
    // A start code may lie across the border.
    let from = Math.max(0, pending.length - 2);
    pending = Buffer.concat([pending, bytes]);
    let start = 0;
    for (;;) {
      const at = pending.indexOf(mark, from);
      if (at < 0) break;
      if (isBegun) units.push(trimmed(pending.subarray(start, at)));
      isBegun = true;
      start = at + mark.length;
      from = start;
    }
    // What is before the first start code is nothing.
    pending = Buffer.from(
      isBegun ? pending.subarray(start) : pending.subarray(Math.max(0, pending.length - 2)),
    );
    if (pending.length > LARGEST_PICTURE_BYTES) throw new SourceError('DAMAGED');
    return units.filter(({ length }) => length > 2);
  }

  const end = (): Uint8Array[] => (isBegun ? [trimmed(pending)].filter(({ length }) => length > 2) : []);
  return { push, end };
}

/** Zeros may stand before a start code; a unit ends with another byte. */
function trimmed(unit: Buffer): Uint8Array {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end -= 1;
  return Buffer.from(unit.subarray(0, end));
}
