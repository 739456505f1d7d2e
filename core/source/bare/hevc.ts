// The headers of HEVC (ITU-T H.265, section 7.3), as far as they tell pictures apart and in which order they are shown
// (section 8.3.1).

import { bitsOf } from './bits.ts';
import type { Bits } from './bits.ts';
import { HEADER_BYTES, MOST_PICTURE_SETS, MOST_SEQUENCE_SETS, SET_BYTES, bounded } from './coded-pictures.ts';
import type { HeaderReader, NalUnit } from './coded-pictures.ts';

const TYPE = { vps: 32, sps: 33, pps: 34, aud: 35, endOfSequence: 36, endOfStream: 37, sei: 39 } as const;
const IDR = [19, 20];
const BROKEN_LINKS = [16, 17, 18];
const CLEAN_RANDOM_ACCESS = 21;
/** Pictures that are shown before, and decoded after, a point of random access: RASL cannot be decoded from there. */
const RASL = [8, 9];
const RADL = [6, 7];

interface PictureSet {
  sps: number;
  hasOutputFlag: boolean;
  extraBits: number;
}

export function hevcHeaders(): HeaderReader {
  const sequenceSets = new Map<number, { orderBits: number; hasColourPlanes: boolean }>();
  const pictureSets = new Map<number, PictureSet>();
  let isFirst = true;
  let dropsLeading = false;
  let [orderMsb, orderLsb] = [0, 0];

  function read(nal: Uint8Array): NalUnit {
    const type = (nal[0]! >> 1) & 0x3f;
    const layer = ((nal[0]! & 1) << 5) | (nal[1]! >> 3);
    if (layer > 0) return { kind: 'after' };
    if (type < 32) return sliceUnit(nal, type);
    const bits = () => bitsOf(nal.subarray(2, SET_BYTES));
    if (type === TYPE.sps) {
      const { id, ...set } = sequenceSet(bits());
      if (id < MOST_SEQUENCE_SETS) sequenceSets.set(id, set);
    }
    if (type === TYPE.pps) {
      const { id, ...set } = pictureSet(bits());
      if (id < MOST_PICTURE_SETS) pictureSets.set(id, set);
    }
    if (type === TYPE.endOfSequence || type === TYPE.endOfStream) isFirst = true;
    const isSetup = type >= TYPE.vps && type <= TYPE.pps;
    const isBefore =
      isSetup ||
      type === TYPE.aud ||
      type === TYPE.sei ||
      (type >= 41 && type <= 44) ||
      (type >= 48 && type <= 55);
    return isBefore ? { kind: 'before', isSetup } : { kind: 'after' };
  }

  function sliceUnit(nal: Uint8Array, type: number): NalUnit {
    const isIrap = type >= 16 && type <= 23;
    const bits = bitsOf(nal.subarray(2, 2 + HEADER_BYTES));
    if (!bits.flag()) {
      const isOfDropped = dropsLeading && RASL.includes(type);
      const picture = { startsSequence: false, order: 0, isKeyframe: false };
      return isOfDropped ? { kind: 'dropped' } : { kind: 'slice', of: 'same', picture };
    }
    if (isIrap) bits.skip(1);
    const set = pictureSets.get(bits.ue());
    const sequence = set && sequenceSets.get(set.sps);
    if (!sequence) return { kind: 'dropped' };
    const startsSequence =
      IDR.includes(type) || BROKEN_LINKS.includes(type) || (isFirst && type === CLEAN_RANDOM_ACCESS);
    if (isIrap) dropsLeading = startsSequence;
    if (dropsLeading && RASL.includes(type)) return { kind: 'dropped' };
    isFirst = false;
    bits.skip(set.extraBits);
    bits.ue(); // the type of the slice
    if (set.hasOutputFlag) bits.skip(1);
    if (sequence.hasColourPlanes) bits.skip(2);
    const lsb = IDR.includes(type) ? 0 : bits.u(sequence.orderBits);
    const range = 2 ** sequence.orderBits;
    const msb = startsSequence
      ? 0
      : lsb < orderLsb && orderLsb - lsb >= range / 2
        ? orderMsb + range
        : lsb > orderLsb && lsb - orderLsb > range / 2
          ? orderMsb - range
          : orderMsb;
    const temporalId = (nal[1]! & 7) - 1;
    const isNoReference = type < 16 && type % 2 === 0;
    if (temporalId === 0 && !isNoReference && !RASL.includes(type) && !RADL.includes(type)) {
      [orderMsb, orderLsb] = [msb, lsb];
    }
    return { kind: 'slice', of: 'new', picture: { startsSequence, order: msb + lsb, isKeyframe: isIrap } };
  }

  return { read, frameRate: () => undefined };
}

function sequenceSet(bits: Bits): { id: number; orderBits: number; hasColourPlanes: boolean } {
  bits.skip(4);
  const subLayers = bits.u(3);
  bits.skip(1);
  // Profile, tier and level: of all, then of the sub-layers that have their own.
  bits.skip(88 + 8);
  const told = Array.from({ length: subLayers }, () => [bits.flag(), bits.flag()]);
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const [profile, level] of told) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
  const id = bits.ue();
  const hasColourPlanes = bits.ue() === 3 && bits.flag();
  bits.ue();
  bits.ue();
  if (bits.flag()) for (let side = 0; side < 4; side += 1) bits.ue();
  bits.ue();
  bits.ue();
  return { id, hasColourPlanes, orderBits: bounded(bits.ue() + 4) };
}

function pictureSet(bits: Bits): { id: number } & PictureSet {
  const [id, sps] = [bits.ue(), bits.ue()];
  bits.skip(1);
  return { id, sps, hasOutputFlag: bits.flag(), extraBits: bits.u(3) };
}
