// npm start as it is: it rehearses while somebody uploads already.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';

test('a video that is sent during the rehearsal is ready, and is the only one there is', async () => {
  const directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const clip = join(directory.path, 'clip.mp4');
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=128x96:r=10:d=2', '-pix_fmt', 'yuv420p', clip);
  const system = await startSystem(data, { REHEARSAL: 'on' });
  try {
    expect(await readdir(data)).toContain('rehearsal');
    const video = await uploadFile(system, clip);
    await untilStatus(video, ({ state }) => state === 'ready');
    while ((await readdir(data)).includes('rehearsal')) await sleep(50);
    const listed = await fetch(`${system.baseUrl}/api/videos`, { headers: { authorization: 'Bearer key' } });
    expect(await listed.json()).toMatchObject({ videos: [{ id: video.id }] });
    expect(system.output()).not.toMatch('rehearsal failed');
  } finally {
    await system.stop();
    await directory.remove();
  }
});
