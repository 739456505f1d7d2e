// The digests S3 takes with a body, all computed in one pass as it streams by.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error, type S3ErrorCode } from './errors.ts';

export type DigestName = 'md5' | 'sha256' | 'sha1' | 'crc32' | 'crc32c';

export interface Digester {
  update(bytes: Buffer): void;
  digest(): Buffer; // once
}

/** What someone said a digest would be; `refusal` is what they are told if it is not. */
export interface Expectation {
  name: DigestName;
  value: Buffer;
  refusal: S3ErrorCode;
}

const BYTES: Record<DigestName, number> = { md5: 16, sha256: 32, sha1: 20, crc32: 4, crc32c: 4 };

/** Those a client may name in `x-amz-checksum-…`. */
export const CHECKSUMS = ['crc32', 'crc32c', 'sha1', 'sha256'] as const satisfies readonly DigestName[];

export function digester(name: DigestName): Digester {
  if (name === 'crc32') return running((bytes, sum) => crc32(bytes, sum));
  if (name === 'crc32c') return running(crc32c);
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

/** The base64 of a digest as a header holds it, e.g. Content-MD5. */
export function parseDigest(name: DigestName, base64: string, header: string): Buffer {
  const value = Buffer.from(base64, 'base64');
  if (value.length !== BYTES[name] || value.toString('base64') !== base64) {
    if (header === 'content-md5') throw new S3Error('InvalidDigest');
    throw new S3Error('InvalidRequest', `Value for ${header} header is invalid.`);
  }
  return value;
}

function running(next: (bytes: Buffer, sum: number) => number): Digester {
  let sum = 0;
  return {
    update: (bytes) => void (sum = next(bytes, sum)),
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(sum >>> 0);
      return bytes;
    },
  };
}

// node:zlib has CRC-32 but not Castagnoli's (RFC 3720, appendix B.4; polynomial reflected).
const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  return sum >>> 0;
});

function crc32c(bytes: Buffer, previous: number): number {
  let sum = ~previous;
  for (let i = 0; i < bytes.length; i++) sum = CASTAGNOLI[(sum ^ bytes[i]!) & 0xff]! ^ (sum >>> 8);
  return ~sum >>> 0;
}
