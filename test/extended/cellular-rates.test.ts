// What is made for cellular lines is within 192 kbit/s, of pictures that want every bit.

import { join } from 'node:path';
import { withRangeServer } from '../../machine/range-server.ts';
import { MOST_CELLULAR_BPS } from '../../core/plan/cellular.ts';
import { peakBound, peakBps } from '../../core/plan/bandwidth.ts';
import type { Measure } from '../../core/plan/bandwidth.ts';
import { durationSeconds } from '../../core/plan/grid.ts';
import { segmentSeconds } from '../../core/plan/segments.ts';
import { multivariantPlaylist } from '../../core/playlists/playlists.ts';
import { encode } from '../../pipeline/encode/encode.ts';
import { binaries, ffmpeg, fileSource, temporaryDirectory } from '../support/media.ts';
import { plannedFile } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

test.each([24, 30, 60])('noise at %i pictures a second', async (rate) => {
  const path = join(directory.path, `${rate}.mp4`);
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=${rate}:d=6,noise=alls=60:allf=t`],
    ...['-f', 'lavfi', '-i', 'anoisesrc=c=pink:r=48000:d=6:a=0.3:seed=1', '-ac', '2'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
  );
  const { plan } = await plannedFile(path, directory.path);
  const cellular = plan.renditions.filter(({ isCellular }) => isCellular);
  expect(cellular.map(({ kind }) => kind)).toEqual(['video', 'audio']);

  // Both by one process, as by a prewarm.
  const made = new Map<string, Measure[]>(cellular.map(({ name }) => [name, []]));
  const tools = { binaries, temporaryDirectory: directory.path };
  await withRangeServer(await fileSource(path), async ({ url: sourceUrl }) => {
    const job = { plan, renditions: [...made.keys()], from: 0, to: 2, sourceUrl };
    for await (const { rendition, index, bytes } of encode(job, tools)) {
      const own = cellular.find(({ name }) => name === rendition)!;
      made.get(rendition)!.push({ bits: bytes.length * 8, seconds: segmentSeconds(plan, own, index) });
    }
  });

  const measured = Object.fromEntries(
    [...made].map(([name, segments]) => {
      const bits = segments.reduce((sum, segment) => sum + segment.bits, 0);
      return [name, { peakBps: peakBps(segments), averageBps: bits / durationSeconds(plan.grid) }];
    }),
  );
  for (const rendition of cellular) {
    const { peakBps: peak } = measured[rendition.name]!;
    expect(peak).toBeLessThanOrEqual(peakBound(plan, rendition));
    // Nothing is given away: the pictures want all they may have.
    expect(peak).toBeGreaterThan(0.6 * peakBound(plan, rendition));
  }
  const last = multivariantPlaylist(plan, measured).trim().split('\n').at(-2)!;
  expect(last).toMatch(/^#EXT-X-STREAM-INF:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+,.*AUDIO="audio-low"$/);
  expect(Number(/BANDWIDTH=(\d+)/.exec(last)![1])).toBeLessThanOrEqual(MOST_CELLULAR_BPS);
});
