// The headers of a write that stay with the object and come back with every read of it.

import { S3Error } from './errors.ts';

const KEPT = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]);
const METADATA = 'x-amz-meta-';
const MAX_METADATA_BYTES = 2048;

/** @param given headers or form fields, by lower-case name */
export function objectHeaders(given: ReadonlyMap<string, string>): Record<string, string> {
  const headers: Record<string, string> = {};
  let metadataBytes = 0;
  for (const [name, value] of given) {
    if (name.startsWith(METADATA)) metadataBytes += name.length - METADATA.length + value.length;
    else if (!KEPT.has(name)) continue;
    // What came in a query or a form may hold what no header can; it would fail every read.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value) || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      throw new S3Error('InvalidArgument', `The value of ${name} cannot stand in a header.`);
    }
    headers[name] = value;
  }
  if (metadataBytes > MAX_METADATA_BYTES) {
    throw new S3Error('MetadataTooLarge', undefined, {
      Size: metadataBytes,
      MaxSizeAllowed: MAX_METADATA_BYTES,
    });
  }
  // How the bytes came to us, not what they are.
  const encodings = headers['content-encoding']?.split(',').map((encoding) => encoding.trim());
  const own = encodings?.filter((encoding) => encoding !== 'aws-chunked').join(',');
  if (own) headers['content-encoding'] = own;
  else delete headers['content-encoding'];
  return headers;
}

/** A text as headers hold it: its UTF-8, one character for each byte. */
export function headerText(text: string): string {
  return Buffer.from(text).toString('latin1');
}
