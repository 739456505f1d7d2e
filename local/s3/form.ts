// A multipart/form-data body as it streams in: its fields, then its file, which S3 wants last.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { S3Error } from './errors.ts';

export interface Form {
  /** By lower-case name. */
  fields: Map<string, string>;
  fileName: string;
  /** Throws if the form breaks off. */
  file: AsyncIterable<Buffer>;
}

const LIMITS = { fields: 100, fieldSize: 20 * 1024, fieldNameSize: 1024 };

/** Resolves when the file begins. Whoever stops reading it must unpipe the request. */
export function formIn(request: IncomingMessage): Promise<Form> {
  return new Promise((resolve, reject) => {
    const fields = new Map<string, string>();
    const parser = parserFor(request);
    parser.on('field', (name, value, { valueTruncated }) => {
      if (valueTruncated) reject(new S3Error('MaxPostPreDataLengthExceeded'));
      fields.set(name.toLowerCase(), value);
    });
    parser.on('fieldsLimit', () => reject(new S3Error('MaxPostPreDataLengthExceeded')));
    parser.on('file', (name, stream, { filename }) => {
      stream.on('error', () => undefined); // seen by who reads it, if anyone still does
      if (name === 'file') resolve({ fields, fileName: filename ?? '', file: wholeOf(stream) });
      else stream.resume();
    });
    parser.on('error', () => reject(new S3Error('MalformedPOSTRequest')));
    parser.on('close', () =>
      reject(new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.')),
    );
    request.once('error', (error) => parser.destroy(error));
    request.pipe(parser);
  });
}

function parserFor({ headers }: IncomingMessage): busboy.Busboy {
  try {
    return busboy({ headers, limits: LIMITS, defParamCharset: 'utf8' });
  } catch {
    throw new S3Error('MalformedPOSTRequest'); // no boundary
  }
}

async function* wholeOf(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch {
    throw new S3Error('MalformedPOSTRequest');
  }
}
