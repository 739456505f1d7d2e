// Any S3-compatible store can stand in for the embedded one, even one that tells nobody of its uploads.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesAt, renditionsAt } from '../support/hls.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { keyring, listenS3 } from '../support/s3-server.ts';
import { startSystem, untilStatus, uploadFile } from '../support/system.ts';

test('with S3_ENDPOINT everything is kept in that store, and an upload to it becomes ready', async () => {
  const directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const store = await listenS3({ directory: join(directory.path, 'store') });
  const system = await startSystem(data, {
    S3_ENDPOINT: store.endpoint,
    UPLOADS_BUCKET: 'the-uploads',
    MEDIA_BUCKET: 'the-media',
    AWS_ACCESS_KEY_ID: keyring.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keyring.secretAccessKey,
    AWS_REGION: keyring.region,
  });
  try {
    const clip = join(directory.path, 'clip.mp4');
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=128x96:r=25:d=6', '-c:v', 'libx264', clip);
    const video = await uploadFile(system, clip);
    expect(new URL(video.upload.url).origin).toBe(store.endpoint);
    expect(new URL(video.upload.url).pathname).toMatch(/^\/the-uploads\//);
    // Nobody has asked for it: the system finds the upload by itself.
    await untilStatus(video, ({ state }) => state === 'ready');
    const { segments } = (await renditionsAt(video.playbackUrl)).get('96p')!;
    expect(segments).toHaveLength(3);
    await bytesAt(segments[2]!.url);
    expect(await readdir(data)).not.toContain('s3');
  } finally {
    await system.stop();
    await store.close();
    await directory.remove();
  }
});
