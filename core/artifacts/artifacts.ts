// Each kind of artifact, described once: where it lies, how its key is read, which of them a plan lists, how it is
// labelled when it is stored (and so when it is delivered), and how one tells that bytes are all of it. How it is made is in
// pipeline/derive/makers.ts, as that does I/O.

import { formatByExtension, formatByInit, formatOf } from '../formats/formats.ts';
import { lengthOf } from '../formats/format.ts';
import { isWholeJpeg } from '../formats/jpeg.ts';
import { segmentName } from '../formats/segment-name.ts';
import { segmentCount } from '../plan/grid.ts';
import { renditionNamed } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import { unitsOf } from '../plan/segments.ts';
import { sheetCount, storyboardTrack } from '../plan/stills.ts';
import { mediaPlaylist, multivariantPlaylist } from '../playlists/playlists.ts';
import { CURRENT } from './artifact.ts';
import type { Artifact, ArtifactOf, Revision } from './artifact.ts';
import { REV, VIDEO_ID, videoPrefix } from './keys.ts';

export interface ContentHeaders {
  contentType: string;
  cacheControl: string;
}

interface ArtifactKind<Kind extends Artifact['kind']> {
  /** Below the video where it belongs to no revision, or to whichever is the current one; below the revision elsewhere. */
  path(artifact: ArtifactOf<Kind>): string;
  /** Of the path. What it lets through and `path` would not write is no artifact. */
  pattern: RegExp;
  /**
   * Undefined for what no format of ours has.
   * @param groups of the pattern
   */
  parse(groups: Readonly<Record<string, string>>, rev: Revision): ArtifactOf<Kind> | undefined;
  /** Which addresses it has: the video's, a revision's, or both. */
  below: readonly ('video' | 'revision')[];
  /** A URL can only name what the plan lists: the cost of abuse is bounded by one full encode. */
  isListed(plan: Plan, artifact: ArtifactOf<Kind>): boolean;
  contentType(artifact: ArtifactOf<Kind>): string;
  cacheControl?: string;
  /** For bytes of which nobody has noted the length, such as what earlier releases stored. */
  isWhole(plan: Plan, artifact: ArtifactOf<Kind>, bytes: Uint8Array): boolean;
}

export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Until everything is measured the multivariant playlist may change at any moment. */
export const SHORT_LIVED = 'public, max-age=2';
/** Afterwards it changes when the video is planned anew; a minute is how long a deleted video may linger in a cache. */
export const SETTLED = 'public, max-age=60';
/**
 * Of the answer to a path that no plan lists. A revision never changes; what names none may be listed by the next one, and
 * the multivariant playlist of that takes as long to be seen.
 */
export const UNLISTED = 'public, max-age=60';
/** A picture of the current revision, which shows the same film as the one before. */
const LASTING = 'public, max-age=300';

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const JPEG_TYPE = 'image/jpeg';
const RENDITION = '(?<rendition>[0-9a-z-]{1,16})';

const KINDS: { [Kind in Artifact['kind']]: ArtifactKind<Kind> } = {
  multivariant: {
    path: () => 'master.m3u8',
    pattern: /^master\.m3u8$/,
    parse: () => ({ kind: 'multivariant' }),
    below: ['video'],
    isListed: () => true,
    contentType: () => PLAYLIST_TYPE,
    cacheControl: SHORT_LIVED,
    isWhole: (plan, _, bytes) => endsAs(bytes, multivariantPlaylist(plan)),
  },
  playlist: {
    path: ({ rendition }) => `${rendition}/index.m3u8`,
    pattern: new RegExp(`^${RENDITION}/index\\.m3u8$`),
    parse: ({ rendition }, rev) => ({ kind: 'playlist', rev, rendition: rendition! }),
    below: ['revision'],
    isListed: (plan, { rendition }) => Boolean(renditionNamed(plan, rendition)),
    contentType: () => PLAYLIST_TYPE,
    isWhole: (plan, { rendition: name }, bytes) => {
      const rendition = renditionNamed(plan, name);
      return Boolean(rendition && endsAs(bytes, mediaPlaylist(plan, rendition)));
    },
  },
  segment: {
    path: ({ rendition, index, extension }) => `${rendition}/${segmentName(index, extension)}`,
    pattern: new RegExp(`^${RENDITION}/(?<index>\\d{5,6})\\.(?<extension>[0-9a-z]{2,4})$`),
    parse: ({ rendition, index, extension }, rev) =>
      formatByExtension(extension!) && {
        ...{ kind: 'segment', rev, rendition: rendition! },
        ...{ index: Number(index), extension: extension! },
      },
    below: ['revision'],
    isListed: (plan, { rendition: name, index, extension }) => {
      const rendition = renditionNamed(plan, name);
      return Boolean(
        rendition && formatOf(rendition).extension === extension && index < segmentCount(plan.grid),
      );
    },
    contentType: ({ extension }) => formatByExtension(extension)!.contentType,
    isWhole: (plan, { rendition: name, index }, bytes) => {
      const rendition = renditionNamed(plan, name);
      if (!rendition) return false;
      return formatOf(rendition).count(bytes) === lengthOf(unitsOf(plan, rendition, index));
    },
  },
  init: {
    path: ({ rendition, name }) => `${rendition}/${name}`,
    pattern: new RegExp(`^${RENDITION}/(?<name>init\\.[0-9a-z]{2,4})$`),
    parse: ({ rendition, name }, rev) =>
      formatByInit(name!) && { kind: 'init', rev, rendition: rendition!, name: name! },
    below: ['revision'],
    isListed: (plan, { rendition: name, name: file }) => {
      const rendition = renditionNamed(plan, name);
      return Boolean(rendition && formatOf(rendition).init?.name === file);
    },
    contentType: ({ name }) => formatByInit(name)!.contentType,
    isWhole: (_, __, bytes) => bytes.length > 0,
  },
  poster: {
    path: () => 'poster.jpg',
    pattern: /^poster\.jpg$/,
    parse: (_, rev) => ({ kind: 'poster', rev }),
    below: ['video', 'revision'],
    isListed: ({ stills }) => Boolean(stills),
    contentType: () => JPEG_TYPE,
    isWhole: (_, __, bytes) => isWholeJpeg(bytes),
  },
  thumb: {
    path: ({ seconds }) => `thumb/${seconds}.jpg`,
    pattern: /^thumb\/(?<seconds>\d{1,6})\.jpg$/,
    parse: ({ seconds }, rev) => ({ kind: 'thumb', rev, seconds: Number(seconds) }),
    below: ['video', 'revision'],
    isListed: ({ stills }, { seconds }) =>
      Boolean(
        stills && seconds % stills.intervalSeconds === 0 && seconds / stills.intervalSeconds < stills.count,
      ),
    contentType: () => JPEG_TYPE,
    isWhole: (_, __, bytes) => isWholeJpeg(bytes),
  },
  storyboard: {
    path: () => 'storyboard.vtt',
    pattern: /^storyboard\.vtt$/,
    parse: (_, rev) => ({ kind: 'storyboard', rev }),
    below: ['video', 'revision'],
    isListed: ({ stills }) => Boolean(stills),
    contentType: () => 'text/vtt; charset=utf-8',
    isWhole: ({ grid, stills }, _, bytes) =>
      stills !== null && endsAs(bytes, storyboardTrack(grid, stills, '')),
  },
  sheet: {
    path: ({ index }) => `storyboard/${index}.jpg`,
    pattern: /^storyboard\/(?<index>\d{1,4})\.jpg$/,
    parse: ({ index }, rev) => ({ kind: 'sheet', rev, index: Number(index) }),
    below: ['revision'], // the storyboard names its sheets by revision
    isListed: ({ stills }, { index }) => Boolean(stills && index < sheetCount(stills)),
    contentType: () => JPEG_TYPE,
    isWhole: (_, __, bytes) => isWholeJpeg(bytes),
  },
};

/** An artifact is of its own kind, which a table of kinds cannot tell the compiler. */
const kindOf = ({ kind }: Artifact): ArtifactKind<Artifact['kind']> =>
  KINDS[kind] as unknown as ArtifactKind<Artifact['kind']>;

export function artifactKey(id: string, artifact: Artifact): string {
  const rev = artifact.kind === 'multivariant' ? CURRENT : artifact.rev;
  return `${revPrefix(id, rev)}${kindOf(artifact).path(artifact)}`;
}

export const revPrefix = (id: string, rev: Revision): string =>
  rev === CURRENT ? videoPrefix(id) : `${videoPrefix(id)}${rev}/`;

export const masterKey = (id: string): string => artifactKey(id, { kind: 'multivariant' });

const KEY = new RegExp(`^v/(?<id>${VIDEO_ID})/(?:(?<rev>${REV})/)?(?<path>.+)$`);

/** The inverse of `artifactKey`; undefined for anything we would not have written ourselves. */
export function parseArtifactKey(key: string): { id: string; artifact: Artifact } | undefined {
  const found = KEY.exec(key)?.groups;
  if (!found) return undefined;
  const { id, rev = CURRENT, path } = found as { id: string; rev?: string; path: string };
  const place = rev === CURRENT ? 'video' : 'revision';
  for (const { pattern, below, parse } of Object.values(KINDS)) {
    const groups = below.includes(place) ? pattern.exec(path) : null;
    const artifact = groups && parse(groups.groups ?? {}, rev);
    if (artifact && artifactKey(id, artifact) === key) return { id, artifact };
  }
  return undefined;
}

export const isListed = (plan: Plan, artifact: Artifact): boolean =>
  kindOf(artifact).isListed(plan, artifact);

export function contentHeaders(artifact: Artifact): ContentHeaders {
  const { contentType, cacheControl } = kindOf(artifact);
  const isLasting = artifact.kind !== 'multivariant' && artifact.rev === CURRENT;
  return {
    contentType: contentType(artifact),
    cacheControl: cacheControl ?? (isLasting ? LASTING : IMMUTABLE),
  };
}

/**
 * Whether bytes that a store gave for an artifact are all of it, by what the plan says of it.
 * @param plan of the artifact's own revision; of the current one, for an artifact that names none
 */
export const isWholeArtifact = (plan: Plan, artifact: Artifact, bytes: Uint8Array): boolean =>
  kindOf(artifact).isWhole(plan, artifact, bytes);

/** Texts may have been worded otherwise by another release, but end with the last of what they list. */
function endsAs(bytes: Uint8Array, expected: string): boolean {
  const lastLine = expected.trimEnd().split('\n').at(-1)!;
  // An address in it may have something before it.
  return Buffer.from(bytes).toString('utf8').endsWith(`${lastLine}\n`);
}
