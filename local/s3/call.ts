// One request as the operations see it, and the answer they give.

import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { BlobDirectory } from './blobs.ts';
import type { ObjectCreated } from './events.ts';
import type { ObjectIndex } from './object-index.ts';
import type { Keyring, Signed } from './signature.ts';
import type { Space } from './space.ts';
import { pathEncoded, type Target } from './target.ts';
import type { UploadIndex } from './upload-index.ts';
import { renderXml, type XmlContent } from './xml.ts';

export interface Call extends Target {
  request: IncomingMessage;
  requestId: string;
  sourceIp: string;
  payload: Signed['payload'];
  /** By lower-case name. What a presigned URL carries in its query (`x-amz-meta-…`) counts as sent in a header. */
  headers: ReadonlyMap<string, string>;
  /** The value of a query parameter. */
  parameter(name: string): string | undefined;
}

export interface Answer {
  status: number;
  headers?: OutgoingHttpHeaders;
  body?: string | Readable;
}

/** What the operations work on. */
export interface Storage {
  index: ObjectIndex;
  uploads: UploadIndex;
  blobs: BlobDirectory;
  space: Space;
  keyring: Keyring;
  announce(created: ObjectCreated): void;
  mayUseReserve(bucket: string, key: string): boolean;
}

export function xmlAnswer(root: string, content: XmlContent, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/xml' }, body: renderXml(root, content) };
}

/** Where an object is, as the client that asks reaches us. */
export function locationOf(call: Call, key: string): string {
  return `http://${call.request.headers.host}/${call.bucket}/${pathEncoded(key)}`;
}
