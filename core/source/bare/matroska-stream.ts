// A Matroska stream of one picture track, as matroska.ts takes it (RFC 9559, RFC 8794).

import type { Fraction } from '../../fraction.ts';

export interface TimedPicture {
  milliseconds: number;
  isKeyframe: boolean;
  bytes: Uint8Array;
}

const ID = {
  EBML: '1a45dfa3',
  DocType: '4282',
  Segment: '18538067',
  Tracks: '1654ae6b',
  TrackEntry: 'ae',
  TrackNumber: 'd7',
  TrackUID: '73c5',
  TrackType: '83',
  DefaultDuration: '23e383',
  CodecID: '86',
  CodecPrivate: '63a2',
  Cluster: '1f43b675',
  Timestamp: 'e7',
  SimpleBlock: 'a3',
} as const;

const TRACK = 1;

/** @param setup what decoders need before the first picture */
export const headOf = (codec: string, { num, den }: Fraction, setup: Uint8Array): Buffer =>
  Buffer.concat([
    element(ID.EBML, element(ID.DocType, Buffer.from('matroska'))),
    // Its length is not known yet.
    Buffer.from(`${ID.Segment}01ffffffffffffff`, 'hex'),
    element(
      ID.Tracks,
      element(
        ID.TrackEntry,
        element(ID.TrackNumber, number(TRACK)),
        element(ID.TrackUID, number(TRACK)),
        element(ID.TrackType, number(1)), // video
        element(ID.DefaultDuration, number(Math.round((1e9 * den) / num))),
        element(ID.CodecID, Buffer.from(codec)),
        element(ID.CodecPrivate, setup),
      ),
    ),
  ]);

export const clusterOf = (milliseconds: number, blocks: readonly Uint8Array[]): Buffer =>
  element(ID.Cluster, element(ID.Timestamp, number(milliseconds)), ...blocks);

export function blockOf(
  { milliseconds, isKeyframe, bytes }: TimedPicture,
  clusterMilliseconds: number,
): Buffer {
  const head = Buffer.alloc(4);
  head[0] = 0x80 | TRACK;
  head.writeInt16BE(milliseconds - clusterMilliseconds, 1);
  head[3] = isKeyframe ? 0x80 : 0;
  return element(ID.SimpleBlock, head, bytes);
}

function element(id: string, ...content: Uint8Array[]): Buffer {
  const size = number(content.reduce((sum, { length }) => sum + length, 0));
  size[0] = 0x01; // eight bytes, of which seven count
  return Buffer.concat([Buffer.from(id, 'hex'), size, ...content]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
