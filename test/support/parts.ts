// Uploads in parts as a page sends them, and as the store has them.

import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import type { Page, Request } from 'playwright-core';
import { sourceKey } from '../../core/artifacts/keys.ts';
import { storeClient } from './system.ts';
import type { System } from './system.ts';

const Bucket = 'instant-hls-uploads';

export function partsOnPage(page: Page, { baseUrl }: Pick<System, 'baseUrl'>) {
  const isPart = (number: number) => (url: URL) => url.searchParams.get('partNumber') === String(number);

  /** The part's number; 0 for a form. */
  function numberOf(request: Request): number | undefined {
    const url = new URL(request.url());
    if (url.pathname.startsWith('/api/') || url.origin !== baseUrl) return undefined;
    if (request.method() === 'POST') return 0;
    const number = url.searchParams.get('partNumber');
    return number === null || request.method() !== 'PUT' ? undefined : Number(number);
  }

  return {
    numberOf,

    /** The numbers of the parts that the page sends from now on, in order. */
    sent(): number[] {
      const sent: number[] = [];
      page.on('request', (request) => {
        const number = numberOf(request);
        if (number !== undefined) sent.push(number);
      });
      return sent;
    },

    /** PUTs of this part wait until they are let go; `held` resolves when one has come. */
    async hold(number: number): Promise<{ held: Promise<void>; release(): Promise<void> }> {
      const [came, isLetGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await page.route(isPart(number), async (route) => {
        if (route.request().method() !== 'PUT') return route.continue();
        came.resolve();
        await isLetGo.promise;
        await route.continue().catch(() => undefined); // given up by the page meanwhile
      });
      return {
        held: came.promise,
        release: async () => {
          isLetGo.resolve();
          await page.unroute(() => true);
        },
      };
    },

    /** Once, in place of the store, as S3 answers. */
    async answer(number: number, status: number, body: string): Promise<void> {
      let isDone = false;
      await page.route(isPart(number), async (route) => {
        if (isDone || route.request().method() !== 'PUT') return route.continue();
        isDone = true;
        await route.fulfill({
          status,
          headers: { 'access-control-allow-origin': '*', 'content-type': 'application/xml' },
          body,
        });
      });
    },

    /** Once: the line breaks. */
    async breakOff(number: number): Promise<void> {
      let isDone = false;
      await page.route(isPart(number), async (route) => {
        if (isDone || route.request().method() !== 'PUT') return route.continue();
        isDone = true;
        await route.abort('connectionreset');
      });
    },
  };
}

/** Looks behind the system's back. */
export async function storedUploads(system: System, dataDirectory: string) {
  const client = await storeClient(system, dataDirectory);

  async function openUploads(id: string): Promise<string[]> {
    const { Uploads = [] } = await client.send(
      new ListMultipartUploadsCommand({ Bucket, Prefix: sourceKey(id) }),
    );
    return Uploads.map(({ UploadId }) => UploadId!);
  }

  return {
    openUploads,

    async bytes(id: string): Promise<Buffer> {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: sourceKey(id) }));
      return Buffer.from(await Body!.transformToByteArray());
    },

    /** Until the janitor has forgotten all that was sent of a video. */
    async untilForgotten(id: string): Promise<void> {
      while ((await openUploads(id)).length > 0) await sleep(50);
    },

    /** Until these parts are in the store: a page hears of it a little later. */
    async untilParts(id: string, numbers: number[]): Promise<void> {
      for (;;) {
        const [UploadId] = await openUploads(id);
        const { Parts = [] } = UploadId
          ? await client.send(new ListPartsCommand({ Bucket, Key: sourceKey(id), UploadId }))
          : {};
        const stored = Parts.map(({ PartNumber }) => PartNumber!);
        if (numbers.every((number) => stored.includes(number))) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },

    close: () => client.destroy(),
  };
}
