// The headers of H.264 (ITU-T H.264, section 7.3), as far as they tell pictures apart and in which order they are shown
// (section 8.2.1).

import type { Fraction } from '../../fraction.ts';
import { bitsOf } from './bits.ts';
import type { Bits } from './bits.ts';
import { HEADER_BYTES, MOST_PICTURE_SETS, MOST_SEQUENCE_SETS, SET_BYTES, bounded } from './coded-pictures.ts';
import type { HeaderReader, NalUnit } from './coded-pictures.ts';

const TYPE = { slice: 1, partitionA: 2, partitionC: 4, idr: 5, sei: 6, sps: 7, pps: 8, aud: 9 } as const;

interface ParameterSet {
  frameNumBits: number;
  orderType: number;
  orderBits: number;
  framesOnly: boolean;
  hasColourPlanes: boolean;
  frameRate: Fraction | undefined;
}

interface Slice {
  pps: number;
  frameNum: number;
  /** Undefined for a frame. */
  field: 'top' | 'bottom' | undefined;
  isReference: boolean;
  isIdr: boolean;
  idrId: number;
  orderLsb: number;
  orderBits: number;
  orderType: number;
  frameNumBits: number;
  isIntra: boolean;
}

export function h264Headers(): HeaderReader {
  const sets = new Map<number, ParameterSet>();
  const setOfPps = new Map<number, number>();
  let last: Slice | undefined;
  let isSecondField = false;
  let canRecover = false;
  // Of the last reference picture.
  let [orderMsb, orderLsb] = [0, 0];
  let [frameNum, frameNumOffset] = [0, 0];
  let rate: Fraction | undefined;

  function read(nal: Uint8Array): NalUnit {
    const type = nal[0]! & 0x1f;
    switch (type) {
      case TYPE.sps: {
        const { id, set } = parameterSet(bitsOf(nal.subarray(1, SET_BYTES)));
        if (id < MOST_SEQUENCE_SETS) sets.set(id, set);
        rate ??= set.frameRate;
        return { kind: 'before', isSetup: true };
      }
      case TYPE.pps: {
        const bits = bitsOf(nal.subarray(1, 1 + HEADER_BYTES));
        const [id, sps] = [bits.ue(), bits.ue()];
        if (id < MOST_PICTURE_SETS) setOfPps.set(id, sps);
        return { kind: 'before', isSetup: true };
      }
      case TYPE.sei:
        canRecover ||= nal[1] === RECOVERY_POINT;
        return { kind: 'before', isSetup: false };
      case TYPE.slice:
      case TYPE.partitionA:
      case TYPE.idr:
        return sliceUnit(nal);
      default:
        return type === TYPE.aud || (type >= 14 && type <= 18)
          ? { kind: 'before', isSetup: false }
          : { kind: 'after' };
    }
  }

  function sliceUnit(nal: Uint8Array): NalUnit {
    const slice = sliceHeader(nal, (pps) => sets.get(setOfPps.get(pps) ?? -1));
    if (!slice) return { kind: 'dropped' };
    const isSame = last !== undefined && !isNewPicture(last, slice);
    const isOtherField: boolean =
      !isSame &&
      !isSecondField &&
      last?.field !== undefined &&
      slice.field !== undefined &&
      last.field !== slice.field &&
      last.frameNum === slice.frameNum;
    if (!isSame) isSecondField = isOtherField;
    const order = isSame ? 0 : orderOf(slice, isOtherField);
    last = slice;
    const isKeyframe = slice.isIdr || (canRecover && slice.isIntra);
    if (!isSame) canRecover = false;
    return {
      kind: 'slice',
      of: isSame ? 'same' : isOtherField ? 'other-field' : 'new',
      picture: { startsSequence: slice.isIdr, order, isKeyframe },
    };
  }

  /** Picture order count; the difference between a frame's fields does not matter here. */
  function orderOf(slice: Slice, isOtherField: boolean): number {
    if (slice.isIdr && !isOtherField) [orderMsb, orderLsb, frameNumOffset, frameNum] = [0, 0, 0, 0];
    if (slice.orderType !== 0) {
      // Shown as they are coded. (Type 1 could say otherwise; no encoder that we know uses it for that.)
      if (slice.frameNum < frameNum) frameNumOffset += 2 ** slice.frameNumBits;
      frameNum = slice.frameNum;
      return 2 * (frameNumOffset + frameNum) - (slice.isReference ? 0 : 1);
    }
    const range = 2 ** slice.orderBits;
    const msb =
      slice.orderLsb < orderLsb && orderLsb - slice.orderLsb >= range / 2
        ? orderMsb + range
        : slice.orderLsb > orderLsb && slice.orderLsb - orderLsb > range / 2
          ? orderMsb - range
          : orderMsb;
    if (slice.isReference) [orderMsb, orderLsb] = [msb, slice.orderLsb];
    return msb + slice.orderLsb;
  }

  return { read, frameRate: () => rate };
}

/** The type of a supplemental message after which decoding may begin without an IDR picture (annex D.1.8). */
const RECOVERY_POINT = 6;
/** Slices of types 2 and 7 refer to nothing. */
const INTRA = [2, 7];

function sliceHeader(nal: Uint8Array, setOf: (pps: number) => ParameterSet | undefined): Slice | undefined {
  const bits = bitsOf(nal.subarray(1, 1 + HEADER_BYTES));
  bits.ue(); // the first macroblock
  const type = bits.ue();
  const pps = bits.ue();
  const set = setOf(pps);
  if (!set) return undefined;
  if (set.hasColourPlanes) bits.skip(2);
  const frameNum = bits.u(set.frameNumBits);
  const isField = !set.framesOnly && bits.flag();
  const field = isField ? (bits.flag() ? 'bottom' : 'top') : undefined;
  const isIdr = (nal[0]! & 0x1f) === TYPE.idr;
  const idrId = isIdr ? bits.ue() : 0;
  const { orderBits, orderType, frameNumBits } = set;
  return {
    ...{ pps, frameNum, field, isIdr, idrId, orderBits, orderType, frameNumBits },
    isReference: (nal[0]! & 0x60) !== 0,
    orderLsb: orderType === 0 ? bits.u(orderBits) : 0,
    isIntra: INTRA.includes(type),
  };
}

/** Section 7.4.1.2.4. */
const isNewPicture = (a: Slice, b: Slice): boolean =>
  a.frameNum !== b.frameNum ||
  a.pps !== b.pps ||
  a.field !== b.field ||
  a.isReference !== b.isReference ||
  a.isIdr !== b.isIdr ||
  a.idrId !== b.idrId ||
  a.orderLsb !== b.orderLsb;

/** Profiles whose parameter sets tell of colours and scaling. */
const HIGH_PROFILES = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

function parameterSet(bits: Bits): { id: number; set: ParameterSet } {
  const profile = bits.u(8);
  bits.skip(16);
  const id = bits.ue();
  let hasColourPlanes = false;
  if (HIGH_PROFILES.includes(profile)) {
    const chroma = bits.ue();
    if (chroma === 3) hasColourPlanes = bits.flag();
    bits.ue();
    bits.ue();
    bits.skip(1);
    if (bits.flag()) {
      for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1) {
        if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64);
      }
    }
  }
  const frameNumBits = bounded(bits.ue() + 4);
  const orderType = bits.ue();
  const orderBits = orderType === 0 ? bounded(bits.ue() + 4) : 0;
  if (orderType === 1) {
    bits.skip(1);
    bits.se();
    bits.se();
    const count = Math.min(bits.ue(), 255);
    for (let index = 0; index < count; index += 1) bits.se();
  }
  bits.ue();
  bits.skip(1);
  bits.ue();
  bits.ue();
  const framesOnly = bits.flag();
  if (!framesOnly) bits.skip(1);
  bits.skip(1);
  if (bits.flag()) for (let side = 0; side < 4; side += 1) bits.ue();
  const frameRate = bits.flag() ? rateIn(bits) : undefined;
  return { id, set: { frameNumBits, orderType, orderBits, framesOnly, hasColourPlanes, frameRate } };
}

function skipScalingList(bits: Bits, size: number): void {
  let [last, next] = [8, 8];
  for (let index = 0; index < size; index += 1) {
    if (next !== 0) next = (last + bits.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

/** The rate in the usability information (annex E.1.1): it counts fields. */
function rateIn(bits: Bits): Fraction | undefined {
  if (bits.flag() && bits.u(8) === 255) bits.skip(32);
  if (bits.flag()) bits.skip(1);
  if (bits.flag()) {
    bits.skip(4);
    if (bits.flag()) bits.skip(24);
  }
  if (bits.flag()) {
    bits.ue();
    bits.ue();
  }
  if (!bits.flag()) return undefined;
  const [units, scale] = [bits.u(32), bits.u(32)];
  return { num: scale, den: 2 * units };
}
