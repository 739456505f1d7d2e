// What nobody tells of: requests to the janitor in a store that is not ours.

import { setTimeout as sleep } from 'node:timers/promises';
import { cleanupKey, newVideoId, tombstoneKey } from '../../core/artifacts/keys.ts';
import { createdKeys } from '../../lambdas/created-keys.ts';
import { watchCleanups } from '../../local/announcements.ts';
import { requestCleanup } from '../../pipeline/life/cleanup.ts';
import { deleteVideo } from '../../pipeline/life/deletion.ts';
import { WITHOUT_GRACE } from '../support/janitor.ts';
import { memoryStore } from '../support/memory-store.ts';

test.each([
  ['tells of nothing', false],
  ['tells of what comes', true],
])(
  'where the store %s, each request is announced once, and again when it is made again',
  async (_, isTold) => {
    const media = memoryStore();
    const [before, later] = [newVideoId(new Date()), newVideoId(new Date())];
    await deleteVideo(before, { media }, WITHOUT_GRACE);
    const announced: string[] = [];
    const stop = watchCleanups({ media }, (event) => announced.push(...createdKeys(event)), { isTold });
    try {
      // A look that was under way may have been before what is stored now; the second one after it was not.
      const looked = async () => {
        let looks = 0;
        const { list } = media;
        media.list = (...args) => {
          looks += 1;
          return list(...args);
        };
        while (looks < 4) await sleep(20);
        media.list = list;
      };
      while (announced.length === 0) await sleep(20);
      expect(announced).toEqual([tombstoneKey(before)]);
      await requestCleanup(later, { media });
      if (isTold) return;
      await looked();
      expect(announced).toEqual([tombstoneKey(before), cleanupKey(later)]);
      await requestCleanup(later, { media });
      await looked();
      expect(announced).toEqual([tombstoneKey(before), cleanupKey(later), cleanupKey(later)]);
    } finally {
      stop();
    }
  },
);
