// Both majors of Uppy that are in use, as they are published, in Chromium and on a page of another origin, against the
// running system. Each is given nothing but the address of a token.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { sourceKey } from '../../core/artifacts/keys.ts';
import { httpServer } from '../../local/http-server.ts';
import { openBrowser } from '../support/browser.ts';
import { temporaryDirectory } from '../support/media.ts';
import { partsOnPage, storedUploads } from '../support/parts.ts';
import { startSystem } from '../support/system.ts';
import type { System } from '../support/system.ts';

const MIB = 1024 * 1024;
const MAJORS = [5, 6] as const;
type Major = (typeof MAJORS)[number];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let system: System;
let stored: Awaited<ReturnType<typeof storedUploads>>;
let pages: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const scripts = new Map(
    await Promise.all(
      MAJORS.map(async (major): Promise<[string, string]> => [`/${major}.js`, await bundled(major)]),
    ),
  );
  pages = httpServer(({ url = '' }, response) => {
    const script = scripts.get(url);
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? `<!doctype html><script src="${url}.js"></script>`);
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  system = await startSystem(join(directory.path, 'data'));
  stored = await storedUploads(system, join(directory.path, 'data'));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  stored?.close();
  pages?.close();
  await directory.remove();
});
let parts: ReturnType<typeof partsOnPage>;
beforeEach(async () => {
  // A context of its own: what Golden Retriever keeps is not for the next test.
  page = await (await browser.newContext()).newPage();
  parts = partsOnPage(page, system);
});
afterEach(() => page.context().close());

/** What a page has of Uppy, and of ours. */
interface Window {
  Uppy: Record<'Core' | 'AwsS3' | 'GoldenRetriever', any>;
  uppies: any[];
  uploadedParts: number[];
  start(options: {
    uploadUrl: string;
    major: Major;
    remembers?: boolean;
    signs?: boolean;
    /** The file's, where the signer tells how large each part is. */
    sizeBytes?: number | undefined;
  }): any;
  choose(uppy: any, sizeBytes: number): void;
}

/** Published packages, and beside them what every test needs of a page. */
async function bundled(major: Major): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import Core from '@uppy/core';
        import AwsS3 from '@uppy/aws-s3';
        import GoldenRetriever from '@uppy/golden-retriever';
        window.Uppy = { Core, AwsS3, GoldenRetriever };
        window.uppies = [];
        window.uploadedParts = [];
        (${helpers})();`,
      resolveDir: `test/uppy/${major}`,
    },
    bundle: true,
    write: false,
    format: 'iife',
  });
  return outputFiles[0]!.text;
}

/** Runs in the page. */
function helpers(): void {
  const self = window as unknown as Window;
  self.start = ({ uploadUrl, major, remembers, signs, sizeBytes }) => {
    const PART_BYTES = 5 * 1024 * 1024;
    const uppy = new self.Uppy.Core({ id: `uppy-${self.uppies.length}` });
    // The one option that the majors name differently, or of the newer one the function that signs.
    const signRequest = async (request: { partNumber?: number }) => {
      const { partNumber } = request;
      const size = partNumber && sizeBytes && Math.min(PART_BYTES, sizeBytes - (partNumber - 1) * PART_BYTES);
      // Uppy does not say the type where parts begin, and a token for some types wants to know.
      const body = JSON.stringify({ contentType: 'video/mp4', size, ...request });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${uploadUrl}/s3/sign`, { method: 'POST', headers, body });
      if (!answer.ok) throw new Error(((await answer.json()) as { message: string }).message);
      return answer.json();
    };
    const endpoint =
      major === 5 ? { endpoint: uploadUrl } : signs ? { signRequest } : { companionEndpoint: uploadUrl };
    uppy.use(self.Uppy.AwsS3, {
      ...endpoint,
      shouldUseMultipart: (file: { size: number }) => file.size > 6 * 1024 * 1024,
    });
    // As it changes, not twice a second: a reload of ours comes sooner.
    self.Uppy.GoldenRetriever[Symbol.for('uppy test: throttleTime')] = 0;
    if (remembers) uppy.use(self.Uppy.GoldenRetriever);
    uppy.on('s3-multipart:part-uploaded', (_: unknown, part: { PartNumber: number }) =>
      self.uploadedParts.push(part.PartNumber),
    );
    self.uppies.push(uppy);
    return uppy;
  };
  self.choose = (uppy, sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    for (let index = 0; index < sizeBytes; index += 1) bytes[index] = (index * 31) % 251;
    const data = new File([bytes], 'film.bin', { type: 'video/mp4', lastModified: 1 });
    uppy.addFile({ name: data.name, type: data.type, data, source: 'Local' });
  };
}

const contentOf = (sizeBytes: number): Buffer => {
  const bytes = Buffer.alloc(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1) bytes[index] = (index * 31) % 251;
  return bytes;
};

interface Granted {
  id: string;
  uploadUrl: string;
}

async function grant(): Promise<Granted> {
  const answer = await fetch(`${system.baseUrl}/api/uploads`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: JSON.stringify({ maxBytes: 20 * MIB, contentTypes: ['video/*'] }),
  });
  return (await answer.json()) as Granted;
}

describe.each(MAJORS)('Uppy %i', (major) => {
  beforeEach(() => page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/${major}`));

  /** Chooses a file and uploads it to its end. */
  const upload = (granted: Granted, sizeBytes: number) =>
    page.evaluate(
      async ({ granted, sizeBytes, major }) => {
        const self = window as unknown as Window;
        const uppy = self.start({ uploadUrl: granted.uploadUrl, major });
        self.choose(uppy, sizeBytes);
        const { successful, failed } = await uppy.upload();
        const [file] = [...successful, ...failed];
        return { error: file.error as unknown, body: file.response?.body, uploadURL: file.uploadURL };
      },
      { granted, sizeBytes, major },
    );

  /** Begins to upload; what becomes of it is seen later. */
  const begin = (granted: Granted, sizeBytes: number, remembers = false) =>
    page.evaluate(
      ({ granted, sizeBytes, major, remembers }) => {
        const self = window as unknown as Window;
        const uppy = self.start({ uploadUrl: granted.uploadUrl, major, remembers });
        self.choose(uppy, sizeBytes);
        void uppy.upload();
      },
      { granted, sizeBytes, major, remembers },
    );

  const tell = (command: 'pauseAll' | 'resumeAll' | 'cancelAll' | 'retryAll') =>
    page.evaluate((command) => {
      const [uppy] = (window as unknown as Window).uppies;
      void uppy[command]();
    }, command);

  /** How the one file ends; resolves at once where it has ended. */
  const ending = () =>
    page.evaluate(async () => {
      const [uppy] = (window as unknown as Window).uppies;
      return new Promise<'uploaded' | 'failed'>((resolve) => {
        const look = () => {
          const [file] = uppy.getFiles();
          if (file.progress.uploadComplete) resolve('uploaded');
          else if (file.error) resolve('failed');
          else setTimeout(look, 20);
        };
        look();
      });
    });

  test.each([
    ['small', 1000, [0]],
    ['empty', 0, [0]],
    ['just at the size from which it is sent in parts', 6 * MIB, [0]],
    ['just above', 6 * MIB + 1, [1, 2]],
  ])('uploads a file that is %s', async (_, sizeBytes, numbers) => {
    const granted = await grant();
    const sent = parts.sent();
    const { error, body } = await upload(granted, sizeBytes);
    expect(error ?? null).toBeNull();
    expect(body).toMatchObject({ key: sourceKey(granted.id), location: expect.any(String) });
    expect(sent.sort()).toEqual(numbers);
    expect((await stored.bytes(granted.id)).equals(contentOf(sizeBytes))).toBe(true);
    const status = await (await fetch(`${system.baseUrl}/api/videos/${granted.id}`)).json();
    expect(status).toMatchObject({ title: 'film.bin', sizeBytes });
  });

  test('cancelled, it leaves nothing behind', async () => {
    const granted = await grant();
    const { held, release } = await parts.hold(2);
    await begin(granted, 12 * MIB);
    await held;
    expect(await stored.openUploads(granted.id)).toHaveLength(1);
    const aborted = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
    await tell('cancelAll');
    expect((await aborted).status()).toBe(200);
    await release();
    expect(await stored.openUploads(granted.id)).toEqual([]);
  });

  test('paused, it sends nothing; resumed, it sends what is missing', async () => {
    const granted = await grant();
    const sent = parts.sent();
    const { held, release } = await parts.hold(3);
    await begin(granted, 12 * MIB);
    await held;
    await stored.untilParts(granted.id, [1, 2]);
    await tell('pauseAll');
    await release();
    const before = [...sent];
    await new Promise((resolve) => setTimeout(resolve, 300)); // for what it might send all the same
    expect(sent).toEqual(before);
    await tell('resumeAll');
    expect(await ending()).toBe('uploaded');
    expect(sent.slice(before.length)).toEqual([3]);
    expect((await stored.bytes(granted.id)).equals(contentOf(12 * MIB))).toBe(true);
  });

  test('after a reload the same file, chosen again, goes on with the parts that are missing', async () => {
    const granted = await grant();
    const { held, release } = await parts.hold(3);
    await begin(granted, 12 * MIB, true);
    await held;
    await stored.untilParts(granted.id, [1, 2]);
    await page.reload();
    await release();
    const sent = parts.sent();
    await page.evaluate(
      async ({ uploadUrl, major }) => {
        const self = window as unknown as Window;
        const uppy = self.start({ uploadUrl, major, remembers: true });
        await new Promise((resolve) => uppy.on('restored', resolve));
        // Above what it keeps of a file itself: it only knows which one it was.
        self.choose(uppy, 12 * 1024 * 1024);
        uppy.emit('restore-confirmed'); // as the button of its Dashboard does
      },
      { uploadUrl: granted.uploadUrl, major },
    );
    expect(await ending()).toBe('uploaded');
    expect(sent).toEqual([3]);
    expect((await stored.bytes(granted.id)).equals(contentOf(12 * MIB))).toBe(true);
  });

  test('a part that the store is too busy for is sent again', async () => {
    const granted = await grant();
    const sent = parts.sent();
    await parts.answer(
      2,
      503,
      '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
    );
    await begin(granted, 12 * MIB);
    expect(await ending()).toBe('uploaded');
    expect(sent.sort()).toEqual([1, 2, 2, 3]);
    expect((await stored.bytes(granted.id)).equals(contentOf(12 * MIB))).toBe(true);
  });

  test('a part whose URL has expired is signed anew, by Uppy 6 when it is told to try again', async () => {
    const granted = await grant();
    const sent = parts.sent();
    await parts.answer(
      2,
      403,
      '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
    );
    await begin(granted, 12 * MIB);
    if (major === 6) {
      expect(await ending()).toBe('failed');
      await tell('retryAll');
    }
    expect(await ending()).toBe('uploaded');
    expect(sent.sort()).toEqual([1, 2, 2, 3]);
    expect((await stored.bytes(granted.id)).equals(contentOf(12 * MIB))).toBe(true);
  });

  test('two files at once become two videos, each by a token of its own', async () => {
    const granted = [await grant(), await grant()];
    const ends = await Promise.all(granted.map((each, index) => upload(each, 7 * MIB + index)));
    expect(ends.map(({ body }) => body.key)).toEqual(granted.map(({ id }) => sourceKey(id)));
    for (const [index, { id }] of granted.entries()) {
      expect((await stored.bytes(id)).equals(contentOf(7 * MIB + index))).toBe(true);
    }
  });

  test('a file above the limit of its token, or of another kind, is refused', async () => {
    const large = await upload(await grant(), 20 * MIB + 1);
    expect(large.error).toBeTruthy();
    const { id, uploadUrl } = await grant();
    const error = await page.evaluate(
      async ({ uploadUrl, major }) => {
        const uppy = (window as unknown as Window).start({ uploadUrl, major });
        uppy.addFile({ name: 'a.html', type: 'text/html', data: new Blob(['x']), source: 'Local' });
        const { failed } = await uppy.upload();
        return failed[0]?.error as unknown;
      },
      { uploadUrl, major },
    );
    expect(error).toBeTruthy();
    expect(await stored.openUploads(id)).toEqual([]);
  });
});

describe('Uppy 6 that signs its requests by the one route for that', () => {
  beforeEach(() => page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/6`));

  const upload = ({ uploadUrl }: Granted, sizeBytes: number, saysSizes = false) =>
    page.evaluate(
      async ({ uploadUrl, sizeBytes, saysSizes }) => {
        const self = window as unknown as Window;
        const uppy = self.start({
          uploadUrl,
          major: 6,
          signs: true,
          sizeBytes: saysSizes ? sizeBytes : undefined,
        });
        self.choose(uppy, sizeBytes);
        const { successful, failed } = await uppy.upload();
        const [file] = [...successful, ...failed];
        return { error: (file.error ?? null) as string | null, key: file.response?.body?.key as unknown };
      },
      { uploadUrl, sizeBytes, saysSizes },
    );

  test.each([
    ['in one request', 1000, false],
    ['in parts', 12 * MIB, false],
    ['in parts whose sizes are signed', 12 * MIB, true],
    ['in parts whose sizes are signed, up to its limit', 20 * MIB, true],
  ])('uploads a file %s', async (_, sizeBytes, saysSizes) => {
    const granted = await grant();
    expect(await upload(granted, sizeBytes, saysSizes)).toEqual({
      error: null,
      key: sourceKey(granted.id),
    });
    expect((await stored.bytes(granted.id)).equals(contentOf(sizeBytes))).toBe(true);
  });

  test.each([false, true])(
    'is held to the limit of its token, and told why; sizes signed: %s',
    async (saysSizes) => {
      const granted = await grant();
      const { error } = await upload(granted, 20 * MIB + 1, saysSizes);
      expect(error).toContain('at most 20971520 are accepted');
      expect(await stored.openUploads(granted.id)).toEqual([]);
    },
  );

  test('paused and resumed, it lists its parts and sends what is missing; cancelled, it leaves nothing', async () => {
    const granted = await grant();
    const sent = parts.sent();
    const { held, release } = await parts.hold(3);
    const tell = (command: 'pauseAll' | 'resumeAll' | 'cancelAll') =>
      page.evaluate((command) => void (window as unknown as Window).uppies[0][command](), command);
    await page.evaluate(({ uploadUrl }) => {
      const self = window as unknown as Window;
      const uppy = self.start({ uploadUrl, major: 6, signs: true });
      self.choose(uppy, 12 * 1024 * 1024);
      void uppy.upload();
    }, granted);
    await held;
    await stored.untilParts(granted.id, [1, 2]);
    await tell('pauseAll');
    const before = [...sent];
    const again = page.waitForRequest((request) => parts.numberOf(request) === 3);
    await tell('resumeAll');
    await again;
    expect(sent.slice(before.length)).toEqual([3]);
    const aborted = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
    await tell('cancelAll');
    expect((await aborted).status()).toBe(204);
    await release();
    expect(await stored.openUploads(granted.id)).toEqual([]);
  });
});
