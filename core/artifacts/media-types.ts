// How each artifact is labelled when it is stored, and so when it is delivered.

import { CURRENT } from './keys.ts';
import type { Artifact } from './keys.ts';

export interface ContentHeaders {
  contentType: string;
  cacheControl: string;
}

export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Until everything is measured the multivariant playlist may change at any moment. */
export const SHORT_LIVED = 'public, max-age=2';
/** Afterwards it changes when the video is planned anew; a minute is how long a deleted video may linger in a cache. */
export const SETTLED = 'public, max-age=60';
/** A picture of the current revision, which shows the same film as the one before. */
const LASTING = 'public, max-age=300';

export function contentHeaders(artifact: Artifact): ContentHeaders {
  const isLasting = artifact.kind !== 'multivariant' && artifact.rev === CURRENT;
  const cacheControl = isLasting ? LASTING : IMMUTABLE;
  switch (artifact.kind) {
    case 'multivariant':
      return { contentType: 'application/vnd.apple.mpegurl', cacheControl: SHORT_LIVED };
    case 'playlist':
      return { contentType: 'application/vnd.apple.mpegurl', cacheControl: IMMUTABLE };
    case 'segment':
      return {
        contentType: artifact.extension === 'ts' ? 'video/mp2t' : 'audio/aac',
        cacheControl: IMMUTABLE,
      };
    case 'poster':
    case 'thumb':
    case 'sheet':
      return { contentType: 'image/jpeg', cacheControl };
    case 'storyboard':
      return { contentType: 'text/vtt; charset=utf-8', cacheControl };
  }
}
