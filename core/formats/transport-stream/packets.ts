// The packets of an MPEG transport stream (ISO/IEC 13818-1, section 2.4.3): 188 bytes, each of one PID. The part after
// the header is an adaptation field, a piece of payload, or first the one and then the other.

export const PACKET_BYTES = 188;
export const HEADER_BYTES = 4;
/** What is left for adaptation field and payload. */
export const BODY_BYTES = PACKET_BYTES - HEADER_BYTES;
export const SYNC_BYTE = 0x47;

const STARTS_UNIT = 0x40;
const HAS_ADAPTATION = 0x20;
const HAS_PAYLOAD = 0x10;
const IS_RANDOM_ACCESS = 0x40;
const HAS_PCR = 0x10;

/** Length, flags and clock. */
export const PCR_FIELD_BYTES = 8;

/** @throws Error where the bytes are anything but whole packets. */
export function expectWholePackets(bytes: Uint8Array): void {
  if (bytes.length % PACKET_BYTES !== 0) {
    throw new Error(`MPEG-TS: ${bytes.length} bytes are not a whole number of packets`);
  }
  for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
    if (bytes[at] !== SYNC_BYTE) throw new Error(`MPEG-TS: no packet begins at byte ${at}`);
  }
}

export const pidAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!;

export const startsUnitAt = (bytes: Uint8Array, at: number): boolean => (bytes[at + 1]! & STARTS_UNIT) !== 0;

/** Whether a decoder can begin with the unit that this packet starts. */
export const isRandomAccessAt = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at + 3]! & HAS_ADAPTATION) !== 0 && bytes[at + 4]! > 0 && (bytes[at + 5]! & IS_RANDOM_ACCESS) !== 0;

/**
 * The first byte of the payload of the packet at `at`; the packet's end where there is none.
 * @throws Error where the adaptation field is longer than the packet.
 */
export function payloadStart(bytes: Uint8Array, at: number): number {
  const flags = bytes[at + 3]!;
  if ((flags & HAS_PAYLOAD) === 0) return at + PACKET_BYTES;
  if ((flags & HAS_ADAPTATION) === 0) return at + HEADER_BYTES;
  const start = at + HEADER_BYTES + 1 + bytes[at + 4]!;
  if (start > at + PACKET_BYTES) {
    throw new Error(`MPEG-TS: the adaptation field of the packet at byte ${at} is longer than the packet`);
  }
  return start;
}

export interface PacketHeader {
  pid: number;
  startsUnit?: boolean;
  isRandomAccess?: boolean;
  /** The clock at this packet, in ticks of 90 kHz below 2^33. */
  pcrTicks?: number | undefined;
  payloadBytes: number;
}

/** Writes packets one after another and counts them by PID, as continuity counters do. */
export class PacketWriter {
  /** Full of 0xff, which is what an adaptation field is stuffed with. */
  readonly bytes: Uint8Array;
  #end = 0;
  readonly #counters: Map<number, number>;

  /** @param before how many packets of a PID there were before these, where there were any */
  constructor(packets: number, before: ReadonlyMap<number, number> = new Map()) {
    this.bytes = new Uint8Array(packets * PACKET_BYTES).fill(0xff);
    this.#counters = new Map([...before].map(([pid, count]) => [pid, count % 16]));
  }

  /**
   * Writes a header and an adaptation field that leaves room for the payload and no more.
   * @returns where the payload goes.
   */
  begin({ pid, startsUnit, isRandomAccess, pcrTicks, payloadBytes }: PacketHeader): number {
    const { bytes } = this;
    const at = this.#end;
    const adaptationBytes = BODY_BYTES - payloadBytes;
    this.#end += PACKET_BYTES;
    bytes[at] = SYNC_BYTE;
    bytes[at + 1] = (startsUnit ? STARTS_UNIT : 0) | (pid >> 8);
    bytes[at + 2] = pid & 0xff;
    bytes[at + 3] =
      (adaptationBytes > 0 ? HAS_ADAPTATION : 0) |
      (payloadBytes > 0 ? HAS_PAYLOAD : 0) |
      this.#counter(pid, payloadBytes > 0);
    if (adaptationBytes > 0) bytes[at + 4] = adaptationBytes - 1;
    if (adaptationBytes > 1) {
      bytes[at + 5] = (isRandomAccess ? IS_RANDOM_ACCESS : 0) | (pcrTicks === undefined ? 0 : HAS_PCR);
      if (pcrTicks !== undefined) writeClock(bytes, at + 6, pcrTicks);
    }
    return this.#end - payloadBytes;
  }

  /** Writes a ready packet, in which only the counter is missing. */
  write(packet: Uint8Array): void {
    const at = this.#end;
    this.#end += PACKET_BYTES;
    this.bytes.set(packet, at);
    this.bytes[at + 3]! |= this.#counter(pidAt(packet, 0), true);
  }

  /** A packet without payload repeats the counter of the one before; in front of the first that is 15. */
  #counter(pid: number, hasPayload: boolean): number {
    const next = this.#counters.get(pid) ?? 0;
    if (!hasPayload) return (next + 15) % 16;
    this.#counters.set(pid, (next + 1) % 16);
    return next;
  }
}

/** 33 bits of 90 kHz, six reserved bits, and nine bits of 27 MHz, which stay 0. */
function writeClock(bytes: Uint8Array, at: number, ticks: number): void {
  const high = Math.floor(ticks / 2);
  bytes[at] = high >>> 24;
  bytes[at + 1] = (high >>> 16) & 0xff;
  bytes[at + 2] = (high >>> 8) & 0xff;
  bytes[at + 3] = high & 0xff;
  bytes[at + 4] = ((ticks % 2) << 7) | 0x7e;
  bytes[at + 5] = 0;
}
