import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { S3Event } from 'aws-lambda';
import { BlobDirectory } from './blobs.ts';
import { bodyOf } from './body.ts';
import { ObjectIndex } from './index.ts';
import { authenticate } from './signature.ts';
import type { Keyring } from './signature.ts';
import { targetOf } from './target.ts';
import { S3Error } from './errors.ts';
import { renderXml } from './xml.ts';
import { parseByteRange } from '../../core/byte-range.ts';
export interface EmbeddedS3 {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}
export async function openS3({
  directory,
  keyring,
  onCreated,
}: {
  directory: string;
  keyring: Keyring;
  onCreated?: (e: S3Event) => void;
}): Promise<EmbeddedS3> {
  await mkdir(directory, { recursive: true });
  const index = new ObjectIndex(join(directory, 'index.sqlite'));
  const blobs = await BlobDirectory.open(directory);
  await blobs.sweep(index.blobs());
  async function handle(request: IncomingMessage, response: ServerResponse) {
    const target = targetOf(request.url!);
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader(
      'access-control-allow-headers',
      request.headers['access-control-request-headers'] ?? '*',
    );
    response.setHeader('access-control-allow-methods', 'PUT,POST,GET');
    if (request.method === 'OPTIONS') return void response.writeHead(200).end();
    const { payload } = authenticate(request, target, keyring, Date.now());
    const headers = new Map(Object.entries(request.headers).map(([n, v]) => [n, String(v)]));
    const query = new Map(target.query);
    const call = {
      ...target,
      request,
      requestId: '',
      payload,
      headers,
      parameter: (n: string) => query.get(n),
    } as any;
    if (!target.key) {
      if (request.method === 'PUT') {
        await text(request);
        index.createBucket(target.bucket);
        return void response.writeHead(200).end();
      }
      if (request.method === 'HEAD')
        return void response.writeHead(index.hasBucket(target.bucket) ? 200 : 404).end();
      if (request.method === 'POST') {
        const xml = await text(request);
        for (const [, key] of xml.matchAll(/<Key>([^<]+)<\/Key>/g)) {
          const o = index.get(target.bucket, key!);
          if (o) {
            index.delete(target.bucket, key!);
            await blobs.remove(o.slices.map((s) => s.blob));
          }
        }
        return void response.writeHead(200).end(renderXml('DeleteResult', {}));
      }
      const max = 1000;
      const found = index.list(
        target.bucket,
        query.get('prefix') ?? '',
        query.get('continuation-token') ?? query.get('start-after') ?? '',
        max + 1,
      );
      const page = found.slice(0, max);
      return void response.writeHead(200, { 'content-type': 'application/xml' }).end(
        renderXml('ListBucketResult', {
          IsTruncated: found.length > max,
          KeyCount: page.length,
          ...(found.length > max ? { NextContinuationToken: page.at(-1)!.key } : {}),
          Contents: page.map((o) => ({
            Key: o.key,
            Size: o.sizeBytes,
            ETag: o.etag,
            LastModified: new Date(o.lastModifiedMs).toISOString(),
          })),
        }),
      );
    }
    if (request.method === 'PUT') {
      const body = bodyOf(call);
      if (headers.get('if-none-match') === '*' && index.get(target.bucket, target.key)) {
        request.resume();
        throw new S3Error('PreconditionFailed');
      }
      const blob = await blobs.write(body.chunks);
      const facts = body.facts();
      const before = index.get(target.bucket, target.key);
      if (before && headers.get('if-none-match') === '*') {
        await blobs.remove([blob]);
        throw new S3Error('PreconditionFailed');
      }
      const etag = `"${facts.md5.toString('hex')}"`;
      index.put(target.bucket, {
        key: target.key,
        slices: [{ blob, offset: 0, sizeBytes: facts.sizeBytes }],
        sizeBytes: facts.sizeBytes,
        etag,
        lastModifiedMs: Date.now(),
        headers: {
          'content-type': headers.get('content-type') ?? 'binary/octet-stream',
          ...(headers.get('cache-control') ? { 'cache-control': headers.get('cache-control')! } : {}),
        },
      });
      if (before) await blobs.remove(before.slices.map((s) => s.blob));
      onCreated?.({
        Records: [
          {
            eventName: 'ObjectCreated:Put',
            s3: {
              bucket: { name: target.bucket },
              object: { key: encodeURIComponent(target.key).replaceAll('%2F', '/') },
            },
          },
        ],
      } as any);
      return void response.writeHead(200, { etag }).end();
    }
    const o = index.get(target.bucket, target.key);
    if (!o) throw new S3Error('NoSuchKey');
    const range = parseByteRange(request.headers.range, o.sizeBytes);
    if (range === 'unsatisfiable') throw new S3Error('InvalidRange');
    const { first, last } = range ?? { first: 0, last: o.sizeBytes - 1 };
    response.writeHead(range ? 206 : 200, {
      ...o.headers,
      etag: o.etag,
      'last-modified': new Date(o.lastModifiedMs).toUTCString(),
      'content-length': last - first + 1,
      ...(range ? { 'content-range': `bytes ${first}-${last}/${o.sizeBytes}` } : {}),
    });
    if (request.method === 'HEAD') return void response.end();
    await pipeline(
      blobs.read([{ blob: o.slices[0]!.blob, offset: first, sizeBytes: last - first + 1 }]),
      response,
    ).catch(() => undefined);
  }
  return {
    handle(request, response) {
      handle(request, response).catch((error) => {
        request.resume();
        if (response.headersSent) return response.destroy();
        if (!(error instanceof S3Error)) console.error(error);
        const status = error instanceof S3Error ? error.status : 500;
        response
          .writeHead(status, { 'content-type': 'application/xml' })
          .end(
            request.method === 'HEAD'
              ? undefined
              : renderXml('Error', { Code: error.code ?? 'InternalError', Message: error.message }),
          );
      });
    },
    async close() {
      index.close();
    },
  };
}
