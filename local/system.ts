// Everything that `cdk deploy` sets up in an account, set up on one machine and in one process.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Event } from 'aws-lambda';
import { checkBinaries } from '../machine/ffmpeg.ts';
import type { FfmpegBinaries } from '../machine/ffmpeg.ts';
import { s3Multipart } from '../adapters/s3-multipart.ts';
import { s3Store } from '../adapters/s3-store.ts';
import { parseCleanupKey } from '../core/artifacts/keys.ts';
import type { Playback } from '../core/access/playback-token.ts';
import { s3Client } from '../lambdas/buckets.ts';
import { decodersIn } from '../pipeline/source/stream-listing.ts';
import { releaseWorkers } from '../pipeline/prewarm/queue.ts';
import { announceDeleted, announceUnfinished, watchCleanups, watchUploads } from './announcements.ts';
import { apiGateway } from './api-gateway.ts';
import { asyncInvocations } from './async-invocations.ts';
import { ensureBuckets } from './buckets.ts';
import { cdn } from './cdn.ts';
import { checkClock } from './clock.ts';
import { claimDirectory, emptyDirectory } from './data-directory.ts';
import { embeddedStore } from './embedded-store.ts';
import { openEncodingRoom } from './encoding-room.ts';
import { functionUrl } from './function-url.ts';
import { functionInvocations } from './function-invocations.ts';
import { loadFunctions } from './functions.ts';
import { servePage } from './page.ts';
import { abortOldUploads } from './lifecycle.ts';
import { onSchedule } from './schedule.ts';
import { rehearse } from './rehearsal.ts';
import { openSecrets } from './secrets.ts';
import { stepFunctions } from './step-functions.ts';
import { uploadTestClip } from './test-clip.ts';
import { viewersFirst } from './viewers-first.ts';
import { openWebServer } from './web-server.ts';

export interface Settings {
  port: number;
  dataDirectory: string;
  apiKey: string;
  /** The functions read theirs from the environment. */
  binaries: FfmpegBinaries;
  /** Another store than the embedded one; its credentials and region come in the usual AWS variables. */
  s3Endpoint: string | undefined;
  buckets: { uploads: string; media: string };
  playback: Playback;
  /** Whether to make a short film of its own first, so that the first video is not slower than the next. */
  rehearses: boolean;
}

export async function startSystem(settings: Settings): Promise<{ baseUrl: string; stop(): Promise<void> }> {
  const { dataDirectory, apiKey, binaries, s3Endpoint, buckets, playback } = settings;
  await claimDirectory(dataDirectory);
  await checkBinaries(binaries);
  // The first upload would wait for it.
  await decodersIn(binaries);
  if (s3Endpoint) await checkClock(s3Endpoint);
  const web = await openWebServer(settings.port);
  const encodingRoom = await openEncodingRoom(join(dataDirectory, 'encoding'));
  const pageDirectory = await emptyDirectory(join(dataDirectory, 'page'));

  const announce = (event: S3Event) => ingestions.invoke(event);
  const announceCleanup = (event: S3Event) => cleanups.invoke(event);
  const embedded = s3Endpoint
    ? undefined
    : await embeddedStore(join(dataDirectory, 's3'), {
        onCreated(event) {
          const { bucket, object } = event.Records[0]!.s3;
          if (bucket.name === buckets.uploads) announce(event);
          else if (parseCleanupKey(object.key)) announceCleanup(event);
        },
        // Else nobody could make room on a full disk.
        mayUseReserve: (bucket, key) => bucket === buckets.media && parseCleanupKey(key) !== undefined,
      });
  const viewers = viewersFirst();
  const secrets = await openSecrets(web, dataDirectory, { playback });
  const functions = await loadFunctions(
    {
      UPLOADS_BUCKET: buckets.uploads,
      MEDIA_BUCKET: buckets.media,
      PUBLIC_BASE_URL: web.baseUrl,
      STATE_MACHINE_ARN: 'arn:aws:states:local:000000000000:stateMachine:prewarm',
      API_KEY: apiKey,
      ENCODE_DIRECTORY: encodingRoom.directory,
      AWS_ENDPOINT_URL_S3: s3Endpoint ?? web.baseUrl,
      AWS_ENDPOINT_URL_SFN: `${web.baseUrl}/local/step-functions`,
      PLAYBACK: playback,
      PAGE_DIRECTORY: pageDirectory,
      PREWARM_CONCURRENCY: '1', // an encoder uses all cores by itself
      ...secrets.environment,
      ...embedded?.environment,
    },
    viewers.served,
  );
  const client = s3Client();

  const ingestions = asyncInvocations((event: S3Event) => viewers.meanwhile(() => functions.ingest(event)), {
    concurrency: 2,
  });
  const cleanups = asyncInvocations((event: S3Event) => functions.janitor(event), { concurrency: 2 });
  const origin = functionUrl(functions.origin);

  if (embedded) for (const bucket of Object.values(buckets)) web.route(`/${bucket}`, embedded.s3.handle);
  await ensureBuckets(client, buckets);
  for (const path of ['/api', '/watch', '/embed']) web.route(path, apiGateway(functions));
  web.route(
    '/v',
    cdn({
      client,
      bucket: buckets.media,
      secrets: secrets.playback,
      origin: (...http) => viewers.meanwhile(() => origin(...http)),
    }),
  );
  const executions = stepFunctions(functions.transcode);
  web.route('/local/step-functions', executions.handle);
  web.route('/local/lambda', functionInvocations({ maintenance: functions.maintenance }, apiKey));
  const testClip = { binaries, directory: dataDirectory, baseUrl: web.baseUrl, apiKey };
  await servePage(web, pageDirectory, {
    apiKey,
    uploadOrigin: new URL(s3Endpoint ?? web.baseUrl).origin,
    uploadTestClip: () => viewers.meanwhile(() => uploadTestClip(testClip)),
  });

  web.complete();

  const stores = { uploads: s3Store(client, buckets.uploads), media: s3Store(client, buckets.media) };
  // Those of an earlier run have ended with it.
  await releaseWorkers(stores);
  const multiparts = Object.values(buckets).map((bucket) => s3Multipart(client, bucket));
  const stopWatching = embedded ? undefined : await watchUploads(stores, announce);
  const stopWatchingCleanups = watchCleanups(stores, announceCleanup, { isTold: Boolean(embedded) });
  announceUnfinished(stores, announce).catch((error: unknown) => console.error(error));
  // Also where there is none now: the last may have been ended in its middle.
  const stage = await emptyDirectory(join(dataDirectory, 'rehearsal'));
  const rehearsal = settings.rehearses
    ? rehearse(stage, binaries, functions.world())
    : rm(stage, { recursive: true, force: true });
  rehearsal.catch((error: unknown) => console.error('The rehearsal failed; videos may, too.', error));
  const stopSchedules = [
    onSchedule(RESUME_SECONDS, () => functions.maintenance({ command: 'resume' })),
    onSchedule(SWEEP_SECONDS, () => functions.maintenance({ command: 'sweep' })),
    onSchedule(SWEEP_SECONDS, () => functions.maintenance({ command: 'resume', lost: true })),
    onSchedule(SWEEP_SECONDS, () => announceDeleted(stores, announceCleanup)),
    onSchedule(SWEEP_SECONDS, () => abortOldUploads(multiparts, new Date())),
  ];

  return {
    baseUrl: web.baseUrl,
    async stop() {
      stopSchedules.forEach((stop) => stop());
      executions.stop();
      encodingRoom.close();
      stopWatching?.();
      stopWatchingCleanups();
      web.close();
      await embedded?.s3.close();
    },
  };
}

/** How soon somebody looks for videos that have waited long enough; the listing that it takes is empty on a good day. */
const RESUME_SECONDS = 5;
const SWEEP_SECONDS = 3600;
