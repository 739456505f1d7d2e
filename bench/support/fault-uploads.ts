// An upload in its two steps, so that something may happen in between.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { Granted, System } from '../../test/support/system.ts';

/** Room for a larger file in the place of the first. */
const MAX_BYTES = 100e6;

export type GrantedUpload = Granted & { uploadUrl: string };

export async function grantUpload({ baseUrl }: System, path: string): Promise<GrantedUpload> {
  const { size: sizeBytes } = await stat(path);
  const answer = await fetch(`${baseUrl}/api/uploads`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: JSON.stringify({
      filename: basename(path),
      contentType: 'application/octet-stream',
      sizeBytes,
      maxBytes: MAX_BYTES,
    }),
  });
  if (answer.status !== 201) throw new Error(`upload request: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as GrantedUpload;
}

export async function sendFile({ upload: { method, url, headers } }: Granted, path: string): Promise<void> {
  const { size } = await stat(path);
  const sent = await fetch(url, {
    method,
    headers: { ...headers, 'content-length': String(size) },
    body: Readable.toWeb(createReadStream(path)) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  if (!sent.ok) throw new Error(`upload: ${sent.status} ${await sent.text()}`);
}
