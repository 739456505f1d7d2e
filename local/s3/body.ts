// A request body as it streams in. Its chunks come to an end only if it is whole and every digest named
// with it agrees; otherwise reading throws, and nobody has anything to undo but their temporary file.

import { MAX_REQUEST_BYTES } from '../../core/aws-limits.ts';
import type { Call } from './call.ts';
import { unchunked } from './chunked.ts';
import { CHECKSUMS, digester, parseDigest, type DigestName, type Expectation } from './digests.ts';
import { S3Error } from './errors.ts';

export interface Body {
  chunks: AsyncIterable<Buffer>;
  /** How many bytes the client says it sends; a form does not tell. */
  declaredBytes: number | undefined;
  /** Valid once the chunks have ended. */
  facts(): BodyFacts;
}

export interface BodyFacts {
  sizeBytes: number;
  md5: Buffer;
  /** The checksums the client named, all found right, e.g. `{ 'x-amz-checksum-crc32': 'AAAAAA==' }`. */
  checksums: Record<string, string>;
}

export function bodyOf(call: Call): Body {
  const { headers, payload } = call;
  const expectations = expectationsIn(headers);
  if (typeof payload === 'object') {
    const value = Buffer.from(payload.sha256, 'hex');
    expectations.push({ name: 'sha256', value, refusal: 'XAmzContentSHA256Mismatch' });
  }
  const sizeBytes = declaredBytes(call);
  // A refused body is read to its end by the server: destroying it here would cut off our answer.
  const received: AsyncIterable<Buffer> = call.request.iterator({ destroyOnReturn: false });
  if (payload !== 'chunked') return checkedBody(received, { expectations, sizeBytes });

  const trailers = new Map<string, string>();
  const trailer = headers.get('x-amz-trailer')?.toLowerCase();
  const trailing = CHECKSUMS.find((name) => trailer === checksumHeader(name));
  if (trailer !== undefined && trailing === undefined) {
    throw new S3Error(
      'InvalidRequest',
      `The value specified in the x-amz-trailer header is not supported: ${trailer}`,
    );
  }
  return checkedBody(unchunked(received, trailers), { expectations, sizeBytes, trailing, trailers });
}

/** The whole body as text, for the XML some operations take. */
export async function textOf(call: Call, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of bodyOf(call).chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new S3Error('MaxMessageLengthExceeded');
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The digests a client declares for a body, by header or by form field (names in lower case). */
export function expectationsIn(headers: ReadonlyMap<string, string>): Expectation[] {
  const declared = (
    [['md5', 'content-md5'], ...CHECKSUMS.map((name) => [name, checksumHeader(name)])] as const
  ).map(([name, header]) => {
    const base64 = headers.get(header!);
    return base64 === undefined
      ? []
      : [{ name: name as DigestName, value: parseDigest(name as DigestName, base64, header!) }];
  });
  return declared.flat().map((expectation) => ({ ...expectation, refusal: 'BadDigest' }));
}

/** @param options.trailing the checksum that follows the body, in `options.trailers` */
export function checkedBody(
  source: AsyncIterable<Buffer>,
  options: {
    expectations: Expectation[];
    sizeBytes?: number;
    trailing?: DigestName | undefined;
    trailers?: ReadonlyMap<string, string>;
  },
): Body {
  const expectations = [...options.expectations];
  const names = new Set<DigestName>(['md5', ...expectations.map(({ name }) => name)]);
  if (options.trailing) names.add(options.trailing);
  const digesters = [...names].map((name) => [name, digester(name)] as const);
  let digests = new Map<DigestName, Buffer>();
  let sizeBytes = 0;

  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      for (const [, digest] of digesters) digest.update(chunk);
      yield chunk;
    }
    if (options.sizeBytes !== undefined && sizeBytes !== options.sizeBytes)
      throw new S3Error('IncompleteBody');
    if (options.trailing) expectations.push(trailingExpectation(options.trailing, options.trailers));
    digests = new Map(digesters.map(([name, digest]) => [name, digest.digest()]));
    for (const { name, value, refusal } of expectations) {
      if (!digests.get(name)!.equals(value)) {
        const what =
          refusal === 'BadDigest' ? `The ${name.toUpperCase()} you specified did not match ours.` : undefined;
        throw new S3Error(refusal, what);
      }
    }
  }

  return {
    chunks: chunks(),
    declaredBytes: options.sizeBytes,
    facts: () => ({
      sizeBytes,
      md5: digests.get('md5')!,
      checksums: Object.fromEntries(
        expectations
          .filter(({ name, refusal }) => name !== 'md5' && refusal === 'BadDigest')
          .map(({ name, value }) => [checksumHeader(name), value.toString('base64')]),
      ),
    }),
  };
}

function trailingExpectation(
  name: DigestName,
  trailers: ReadonlyMap<string, string> | undefined,
): Expectation {
  const header = checksumHeader(name);
  const base64 = trailers?.get(header);
  if (base64 === undefined)
    throw new S3Error('MalformedTrailerError', `The announced trailer ${header} is missing.`);
  return { name, value: parseDigest(name, base64, header), refusal: 'BadDigest' };
}

function declaredBytes({ headers, payload }: Call): number {
  const text = headers.get(payload === 'chunked' ? 'x-amz-decoded-content-length' : 'content-length');
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw new S3Error('MissingContentLength');
  if (Number(text) > MAX_REQUEST_BYTES) {
    throw new S3Error('EntityTooLarge', undefined, { MaxSizeAllowed: MAX_REQUEST_BYTES, ProposedSize: text });
  }
  return Number(text);
}

function checksumHeader(name: DigestName): string {
  return `x-amz-checksum-${name}`;
}
