// What people copy to show a video elsewhere.

import { ORIGIN_TIMEOUT_SECONDS } from '../core/aws-limits.ts';
import type { WatchedVideo } from '../pipeline/http/watch-pages.ts';

export interface Snippet {
  name: string;
  text: string;
}

export function snippetsOf({ title, watchUrl, embedUrl, playbackUrl }: WatchedVideo): Snippet[] {
  return [
    { name: 'Link', text: watchUrl },
    {
      name: 'Embed',
      text: `<iframe src="${embedUrl}" title="${escaped(title)}" style="width: 100%; aspect-ratio: 16 / 9; border: 0" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen loading="lazy"></iframe>`,
    },
    { name: 'HLS address', text: playbackUrl! },
    {
      name: 'hls.js',
      text: `<video id="video" controls playsinline></video>
<script type="module">
  import Hls from 'hls.js';
  const video = document.getElementById('video');
  const url = '${playbackUrl}';
  if (Hls.isSupported()) {
    // A segment that nobody has asked for before is made while the request is held.
    const usual = Hls.DefaultConfig.fragLoadPolicy.default;
    const hls = new Hls({ fragLoadPolicy: { default: { ...usual, maxTimeToFirstByteMs: ${ORIGIN_TIMEOUT_SECONDS}_000 } } });
    hls.loadSource(url);
    hls.attachMedia(video);
  } else {
    video.src = url; // Safari plays HLS by itself
  }
</script>`,
    },
  ];
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
