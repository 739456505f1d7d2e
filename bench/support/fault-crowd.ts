// Many viewers of a film before any frame is encoded, each at another place of it.

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendantsOf } from '../../test/support/descendants.ts';
import { renditionsAt } from '../../test/support/hls.ts';
import { startSystem, untilStatus, uploadFile } from '../../test/support/system.ts';
import { longFilm } from './fault-sources.ts';
import { answerOf } from './fault-viewers.ts';

/** Encoders at once, by cores: one for each, and as many again for what is short. */
const MOST_ENCODERS = 2 * availableParallelism() + 2;

export async function crowdProblems(
  directory: string,
  viewers: number,
): Promise<{ problems: string[]; figures: string }> {
  await mkdir(directory, { recursive: true });
  const film = await longFilm(directory, viewers);
  const system = await startSystem(join(directory, 'data'), { PREWARM: 'none' });
  const problems: string[] = [];
  let isOver = false;
  let [mostEncoders, slowestHealthMs, healthy] = [0, 0, 0];

  const count = async (): Promise<void> => {
    while (!isOver) {
      const encoders = (await descendantsOf(system.process.pid!)).filter(({ name }) =>
        name.startsWith('ffmpeg'),
      );
      mostEncoders = Math.max(mostEncoders, encoders.length);
      await sleep(20);
    }
  };
  const askHealth = async (): Promise<void> => {
    while (!isOver) {
      const begun = performance.now();
      const { label } = await answerOf(`${system.baseUrl}/api/health`);
      slowestHealthMs = Math.max(slowestHealthMs, performance.now() - begun);
      if (label === '200') healthy += 1;
      else problems.push(`/api/health answers ${label}`);
      await sleep(100);
    }
  };

  try {
    const video = await uploadFile(system, film);
    await untilStatus(video, ({ playable }) => playable);
    const [rendition] = [...(await renditionsAt(video.playbackUrl)).values()];
    const segments = rendition!.segments.slice(0, viewers);
    if (segments.length < viewers) problems.push(`the film has ${segments.length} segments only`);
    const watching = [count(), askHealth()];
    const begun = performance.now();
    const answers = await Promise.all(segments.map(({ url }) => answerOf(url)));
    const seconds = (performance.now() - begun) / 1000;
    isOver = true;
    await Promise.all(watching);
    for (const [index, { label, detail }] of answers.entries()) {
      if (label !== '200') problems.push(`segment ${index}: ${label} ${detail}`);
    }
    if (mostEncoders > MOST_ENCODERS) problems.push(`${mostEncoders} encoders at once`);
    const figures = [
      `${viewers} viewers served in ${seconds.toFixed(1)} s`,
      `${mostEncoders} encoders at once`,
      `${healthy} answers of /api/health, the slowest after ${slowestHealthMs.toFixed(0)} ms`,
    ];
    return { problems, figures: figures.join(', ') };
  } finally {
    isOver = true;
    await system.stop();
  }
}
