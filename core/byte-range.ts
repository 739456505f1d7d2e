// The Range request header (RFC 9110 section 14), one range at a time.

/** First and last byte, both included. */
export interface ByteRange {
  first: number;
  last: number;
}

/** Undefined means: answer the whole (no header, several ranges, or a form we do not know). */
export function parseByteRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const length = Math.min(sizeBytes, Number(match[2]));
    return length === 0 ? 'unsatisfiable' : { first: sizeBytes - length, last: sizeBytes - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? sizeBytes - 1 : Math.min(Number(match[2]), sizeBytes - 1);
  if (first > last && match[2] !== '' && Number(match[2]) < first) return undefined;
  return first >= sizeBytes ? 'unsatisfiable' : { first, last };
}
