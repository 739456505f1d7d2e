// The pages of one video, /watch/{id} and /embed/{id}: the built page with what link previews read, and what the page
// would have to ask for first, written into it.

import { Hono } from 'hono';
import type { Context } from 'hono';
import { OutageError, RecordError, RequestError } from '../../core/errors.ts';
import { isVideoId } from '../../core/artifacts/keys.ts';
import { isPlaybackToken } from '../../core/access/playback-token.ts';
import { contentSecurityPolicy } from '../../core/access/content-security-policy.ts';
import { playbackUrl } from '../life/playback.ts';
import { videoStatus } from '../life/video-status.ts';
import type { VideoStatus } from '../life/video-status.ts';
import { logFailure, videoIdIn } from '../observe.ts';
import type { World } from '../world.ts';

export interface WatchPagesOptions {
  buckets: Pick<World, 'media' | 'uploads'>;
  /** The built page by its file name; undefined where there is none. */
  pageFile(name: string): Promise<string | undefined>;
  /** With protected playback a page plays only what its address brings a token for: `?token=`. */
  isProtected: boolean;
  publicBaseUrl: string;
}

/** What the page is told: the video, and where else it can be found. */
export interface WatchedVideo extends VideoStatus {
  watchUrl: string;
  embedUrl: string;
}

export function watchPages(options: WatchPagesOptions): Hono {
  const app = new Hono();
  app.get('/watch/:id', (context) => answer(context, 'watch.html', "'none'"));
  app.get('/embed/:id', (context) => answer(context, 'embed.html', '*'));
  app.notFound((context) => context.text('There is no such page.', 404));
  app.onError((error, context) => {
    logFailure(videoIdIn(context.req.path), error);
    const status = error instanceof RecordError || error instanceof OutageError ? error.status : 500;
    return context.text('Something went wrong on our side. Please try again.', status);
  });
  return app;

  async function answer(context: Context, file: string, frameAncestors: "'none'" | '*'): Promise<Response> {
    const token = context.req.query('token');
    const [page, video] = await Promise.all([
      options.pageFile(file),
      lookUp(context.req.param('id') ?? '', isPlaybackToken(token) ? token : undefined, options),
    ]);
    if (page === undefined) return context.notFound();
    context.header('Content-Security-Policy', contentSecurityPolicy([], frameAncestors));
    context.header('X-Content-Type-Options', 'nosniff');
    // A token in the address is nobody else's business.
    context.header('Referrer-Policy', 'no-referrer');
    context.header('Cache-Control', 'no-store');
    return context.html(filledIn(page, video), video ? 200 : 404);
  }
}

async function lookUp(
  id: string,
  token: string | undefined,
  { buckets, publicBaseUrl, isProtected }: WatchPagesOptions,
): Promise<WatchedVideo | undefined> {
  if (!isVideoId(id)) return undefined;
  const withToken = isProtected ? token : undefined;
  const urlOf = () => (isProtected && !token ? null : playbackUrl(publicBaseUrl, id, withToken));
  try {
    const video = await videoStatus(id, buckets, urlOf);
    const query = withToken ? `?token=${withToken}` : '';
    return {
      ...video,
      watchUrl: `${publicBaseUrl}/watch/${id}${query}`,
      embedUrl: `${publicBaseUrl}/embed/${id}${query}`,
    };
  } catch (error) {
    if (error instanceof RequestError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

const TAGS = '<!-- tags -->';
const DATA = '<!-- video -->';

/** What people named their files goes into HTML: by functions, as a replacement's `$` would mean something. */
function filledIn(page: string, video: WatchedVideo | undefined): string {
  for (const mark of [TAGS, DATA]) if (!page.includes(mark)) throw new Error(`the built page has no ${mark}`);
  return page
    .replace(TAGS, () => (video ? tagsOf(video) : '<title>Not found</title>'))
    .replace(
      DATA,
      () => `<script type="application/json" id="video-data">${jsonInHtml(video ?? null)}</script>`,
    );
}

/** Open Graph (ogp.me) and the card of X; both need whole addresses. */
function tagsOf(video: WatchedVideo): string {
  const { title, posterUrl, playbackUrl, embedUrl, watchUrl, durationSeconds } = video;
  const picture = video.renditions.find(({ width }) => width !== null);
  const [width, height] = [picture?.width ?? 640, picture?.height ?? 360];
  const properties: [string, string | number | null][] = [
    ['og:type', 'video.other'],
    ['og:title', title],
    ['og:url', watchUrl],
    ['og:site_name', 'Instant HLS'],
    ['og:image', posterUrl],
    ['og:image:type', posterUrl && 'image/jpeg'],
    // First what a page can show in a frame, then what a player plays.
    ...(playbackUrl
      ? ([
          ['og:video', embedUrl],
          ['og:video:type', 'text/html'],
          ['og:video:width', width],
          ['og:video:height', height],
          ['og:video', playbackUrl],
          ['og:video:type', 'application/vnd.apple.mpegurl'],
          ['og:video:width', width],
          ['og:video:height', height],
        ] as [string, string | number][])
      : []),
    ['video:duration', durationSeconds && Math.round(durationSeconds)],
  ];
  const names: [string, string | number | null][] = [
    ['twitter:card', playbackUrl ? 'player' : 'summary'],
    ['twitter:title', title],
    ['twitter:image', posterUrl],
    ['twitter:player', playbackUrl && embedUrl],
    ['twitter:player:width', playbackUrl && width],
    ['twitter:player:height', playbackUrl && height],
  ];
  const meta = (attribute: string, list: [string, string | number | null][]) =>
    list
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `<meta ${attribute}="${name}" content="${escaped(String(value))}" />`);
  return [`<title>${escaped(title)}</title>`, ...meta('property', properties), ...meta('name', names)].join(
    '\n    ',
  );
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

/** JSON in which no tag and no comment can begin or end. */
const jsonInHtml = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
