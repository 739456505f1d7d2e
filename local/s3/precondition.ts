// If-Match and If-None-Match: what must hold of the object that is there (RFC 9110 section 13, and AWS,
// "Conditional requests").

import { S3Error } from './errors.ts';

export interface Precondition {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
}

type Current = { etag: string } | undefined;

export function preconditionIn(headers: ReadonlyMap<string, string>): Precondition {
  return { ifMatch: headers.get('if-match'), ifNoneMatch: headers.get('if-none-match') };
}

/** Throws unless the object (or its absence) may be overwritten. */
export function checkWrite({ ifMatch, ifNoneMatch }: Precondition, current: Current): void {
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error('NotImplemented', 'A write takes If-None-Match: * only.');
  }
  if (ifNoneMatch === '*' && current) {
    throw new S3Error('PreconditionFailed', undefined, { Condition: 'If-None-Match' });
  }
  if (ifMatch === undefined) return;
  if (!current) throw new S3Error('NoSuchKey');
  if (!names(ifMatch, current)) {
    throw new S3Error('PreconditionFailed', undefined, { Condition: 'If-Match' });
  }
}

/** Whether a reader has this object already (304); throws if it asked for another. */
export function isUnchanged({ ifMatch, ifNoneMatch }: Precondition, current: { etag: string }): boolean {
  if (ifMatch !== undefined && !names(ifMatch, current)) {
    throw new S3Error('PreconditionFailed', undefined, { Condition: 'If-Match' });
  }
  return ifNoneMatch !== undefined && names(ifNoneMatch, current);
}

// With and without quotes, for clients forget them and AWS does not mind.
function names(header: string, { etag }: { etag: string }): boolean {
  const given = header.split(',').map((value) =>
    value
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1'),
  );
  return given.includes('*') || given.includes(etag);
}
