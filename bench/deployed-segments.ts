// What does somebody wait for who asks for a segment that nobody has made, of the functions as they are deployed: beside the
// encoder, which this process runs as well, on the same machine? Warm, and where every function begins with a cold start. And
// what does the sandbox cost?

import { readFile } from 'node:fs/promises';
import { openingRenditions } from '../core/plan/plan.ts';
import { BROKER_MEMORY_MB, DEFAULT_SANDBOX_MEMORY_MB } from '../core/sandboxes.ts';
import { AWS_PRICES } from '../core/work/prices.ts';
import { withRangeServer } from '../machine/range-server.ts';
import { encode } from '../pipeline/encode/encode.ts';
import { openAccount } from '../test/support/account/account.ts';
import { videosIn } from '../test/support/account/videos.ts';
import { binaries, fileSource, temporaryDirectory } from '../test/support/media.ts';
import { planOfFile } from './support/bare-commands.ts';
import { median, secondsOf } from './support/figures.ts';
import { minuteOfFilm } from './support/sources.ts';

const SEGMENTS = 12;
const COLD_STARTS = 5;

const directory = await temporaryDirectory();
const account = await openAccount(directory.path);
try {
  const path = await minuteOfFilm(directory.path);
  const videos = videosIn(account);
  const { id, playbackUrl } = await videos.upload(await readFile(path));
  await account.ingested();
  const plan = await videos.planOf(id);
  const rendition = openingRenditions(plan)[0]!.name;
  const place = (index: number) =>
    new URL(`${plan.rev}/${rendition}/${String(index).padStart(5, '0')}.ts`, playbackUrl).href;

  const asked = async (index: number): Promise<number> => {
    const begun = performance.now();
    const { status, from } = await account.watch(place(index));
    if (status !== 200 || from !== 'function')
      throw new Error(`segment ${index}: ${status} from the ${from}`);
    return (performance.now() - begun) / 1000;
  };
  const own = await planOfFile(path);
  const source = await fileSource(path);
  const encoded = (index: number): Promise<number> =>
    withRangeServer(source, async ({ url }) => {
      const begun = performance.now();
      const job = { plan: own, renditions: [rendition], from: index, to: index + 1, sourceUrl: url };
      const tools = { binaries, temporaryDirectory: directory.path };
      for await (const segment of encode(job, tools)) void segment;
      return (performance.now() - begun) / 1000;
    });
  await asked(1);
  await encoded(1);

  const [warm, bare, cold]: number[][] = [[], [], []];
  for (let index = 2; index < 2 + SEGMENTS; index += 1) {
    // By turns, so that what else the machine does meets both.
    bare!.push(await encoded(index));
    warm!.push(await asked(index));
  }
  for (let index = 2 + SEGMENTS; index < 2 + SEGMENTS + COLD_STARTS; index += 1) {
    for (const each of Object.values(account.functions)) each.deployed();
    cold!.push(await asked(index));
  }
  const tell = (name: string, seconds: number[]): void =>
    console.log(
      `${name.padEnd(36)}${secondsOf(seconds)}, ${(median(seconds) / median(bare!)).toFixed(2)} × the encoder`,
    );
  console.log(`a segment of ${rendition}, never made; ${SEGMENTS} of each, ${COLD_STARTS} cold`);
  tell('the encoder in this process', bare!);
  tell('through the functions, warm', warm!);
  tell('through the functions, all cold', cold!);
  const seconds = median(warm!);
  const thousand = (dollars: number): string => `$${(1000 * dollars).toFixed(4)}`;
  const waiting = (megabytes: number): string =>
    thousand(seconds * (megabytes / 1024) * AWS_PRICES.lambdaPerGigabyteSecond);
  console.log(
    [
      `a thousand of them, warm: sandbox ${waiting(DEFAULT_SANDBOX_MEMORY_MB)}`,
      `the function that waits ${waiting(BROKER_MEMORY_MB)}, calls ${thousand(2 * AWS_PRICES.lambdaPerRequest)}`,
    ].join(', '),
  );
} finally {
  await account.close();
  await directory.remove();
}
