// An engine that is asked for by HTTP, as the one on a single machine is.

import type { StartPrewarm } from '../pipeline/ingest.ts';

export const prewarmAt =
  (url: string): StartPrewarm =>
  async (video) => {
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(video) });
    if (!answer.ok) throw new Error(`start of the prewarm of ${video.id}: ${answer.status}`);
  };
