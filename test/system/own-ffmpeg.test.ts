// npm start with another ffmpeg than that of npm.

import { join } from 'node:path';
import { bytesAt, renditionsAt } from '../support/hls.ts';
import { FFMPEGS } from '../support/makers.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';
import { packetsOf } from '../support/transport-packets.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** Which x264 made the first segment of a video, by the number that each release of it has. */
async function encoderOf(environment: Record<string, string>): Promise<number> {
  const clip = join(directory.path, 'clip.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=128x96:r=10:d=2', '-pix_fmt', 'yuv420p', clip);
  const system = await startSystem(join(directory.path, 'data'), environment);
  try {
    const video = await uploadFile(system, clip);
    await untilStatus(video, ({ state }) => state === 'ready');
    const segment = await bytesAt([...(await renditionsAt(video.playbackUrl)).values()][0]!.segments[0]!.url);
    const bytes = Buffer.concat(packetsOf(segment).map(({ payload }) => payload)).toString('latin1');
    return Number(/x264 - core (\d+)/.exec(bytes)![1]);
  } finally {
    await system.stop();
  }
}

test('the ffmpeg that FFMPEG_PATH names makes the segments', async () => {
  const own = await encoderOf({
    FFMPEG_PATH: FFMPEGS.system,
    FFPROBE_PATH: FFMPEGS.system.replace(/ffmpeg$/, 'ffprobe'),
  });
  expect(own).toBeGreaterThan(await encoderOf({ FFMPEG_PATH: '' }));
});

test.each(['FFMPEG_PATH', 'FFPROBE_PATH'])('a wrong %s is said at the start', async (name) => {
  const starting = startSystem(join(directory.path, 'wrong'), { [name]: '/nonexistent/tool' });
  await expect(starting).rejects.toThrow('try of /nonexistent/tool');
});
