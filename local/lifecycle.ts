// Stands where the lifecycle rules of the buckets stand in the cloud: forgets uploads in parts that nobody has
// completed. Ours are aborted when they fail; but whoever did not hear that one had begun cannot.

import { UNFINISHED_UPLOAD_DAYS } from '../core/limits.ts';
import type { MultipartStore } from '../pipeline/uploads/multipart.ts';

export async function abortOldUploads(buckets: readonly MultipartStore[], now: Date): Promise<void> {
  for (const bucket of buckets) {
    for await (const { key, uploadId, begunAt } of bucket.open('')) {
      if (now.getTime() - begunAt.getTime() > UNFINISHED_UPLOAD_DAYS * 24 * 3600 * 1000)
        await bucket.abort(key, uploadId);
    }
  }
}
