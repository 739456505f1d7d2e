// Presigned requests to one object each, for the sandbox, which holds no right of its own: whoever has the URL can do this
// one thing until it ends, and nothing else. They are signed by the hundred, so by the signer alone: the SDK's whole stack of
// middleware takes ten times as long.

import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { S3RequestPresigner, getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { PartLinks, PutOptions, WriteLink } from '../pipeline/store.ts';

export interface S3Links {
  read(key: string): Promise<string>;
  writeOnce(key: string, object: Pick<PutOptions, 'contentType' | 'cacheControl'>): Promise<WriteLink>;
  parts(key: string, uploadId: string, numbers: readonly number[]): Promise<PartLinks>;
}

/** @param expiresIn seconds; what a role signed ends with the role's session, if that is sooner */
export function s3Links(client: S3Client, bucket: string, expiresIn: number): S3Links {
  const presigner = new S3RequestPresigner({ ...client.config });
  let place: Promise<URL> | undefined;
  /** Where keys of the bucket begin: the endpoint decides whether the bucket stands in the host or in the path. */
  const root = () => (place ??= rootOf(client, bucket));

  async function signed(
    method: 'GET' | 'PUT',
    key: string,
    { query = {}, headers = {} }: { query?: Record<string, string>; headers?: Record<string, string> },
    signingDate = new Date(),
  ): Promise<URL> {
    const { protocol, hostname, port, host, pathname } = await root();
    const path = pathname + key.split('/').map(encodeURIComponent).join('/');
    const named = Object.keys(headers);
    const request = await presigner.presign(
      {
        ...{ method, protocol, hostname, path, query: { ...query }, headers: { host, ...headers } },
        ...(port && { port: Number(port) }),
      },
      {
        expiresIn,
        signingDate,
        // Headers that are only in the query string would not be enforced.
        signableHeaders: new Set(['host', ...named]),
        unhoistableHeaders: new Set(named),
      },
    );
    const url = new URL(`${protocol}//${host}${path}`);
    for (const [name, value] of Object.entries(request.query ?? {}))
      url.searchParams.set(name, String(value));
    return url;
  }

  return {
    read: async (key) => (await signed('GET', key, {})).href,
    async writeOnce(key, { contentType, cacheControl }) {
      const headers = {
        ...{ 'content-type': contentType, 'if-none-match': '*' },
        ...(cacheControl !== undefined && { 'cache-control': cacheControl }),
      };
      return { url: (await signed('PUT', key, { headers })).href, headers };
    },
    async parts(key, uploadId, numbers) {
      // At one moment, so that they differ in nothing but number and signature.
      const now = new Date();
      const [signatures, base]: [[number, string][], { url: string }] = [[], { url: '' }];
      for (const number of numbers) {
        const query = { uploadId, partNumber: String(number) };
        const { href, searchParams } = await signed('PUT', key, { query }, now);
        signatures.push([number, searchParams.get('X-Amz-Signature')!]);
        base.url ||= withoutPart(href);
      }
      return { url: base.url, signatures };
    },
  };
}

const PART_PARAMETERS = ['partNumber', 'X-Amz-Signature'];

function withoutPart(href: string): string {
  const url = new URL(href);
  PART_PARAMETERS.forEach((name) => url.searchParams.delete(name));
  return url.href;
}

const PROBE_KEY = 'key';

async function rootOf(client: S3Client, bucket: string): Promise<URL> {
  const url = new URL(await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: PROBE_KEY })));
  url.search = '';
  url.pathname = url.pathname.slice(0, -PROBE_KEY.length);
  return url;
}
