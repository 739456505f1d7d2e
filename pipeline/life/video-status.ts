// What a video's state is, read off from what exists. There is no other record of it.

import { costEstimate } from '../../core/work/cost.ts';
import type { CostEstimate } from '../../core/work/cost.ts';
import { valueOf } from '../../core/fraction.ts';
import { CARDS, cardKey, errorKey, parseCardKey, sourceKey, videoIdDate } from '../../core/artifacts/keys.ts';
import { artifactKey, revPrefix } from '../../core/artifacts/artifacts.ts';
import { renditionsOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { CARD } from '../../core/records/card.ts';
import type { Delay } from '../../core/records/delay.ts';
import { ERROR } from '../../core/records/error.ts';
import type { StoredError } from '../../core/records/error.ts';
import { durationSeconds } from '../../core/plan/grid.ts';
import { RecordError, notFound } from '../../core/errors.ts';
import type { Notice } from '../../core/notices.ts';
import { UNTITLED, shownTitle } from '../../core/title.ts';
import { prewarmedArtifacts } from '../../core/work/work.ts';
import { delayOf } from './delay.ts';
import { besidePlaylist, posterPath, storyboardPath } from './playback.ts';
import { currentPlanOf, readyMarkerOf } from '../revisions/revisions.ts';
import { readRecord } from '../store.ts';
import type { ObjectInfo } from '../store.ts';
import type { World } from '../world.ts';

/** Under this name the source has its file's name as metadata, URL-encoded, where a browser told it. */
export const FILENAME = 'filename';

export interface VideoStatus {
  id: string;
  /** The file's name; where nobody knows it yet, or ever told it, a word in its place. */
  title: string;
  state: 'waiting' | 'processing' | 'ready' | 'failed';
  /** Whether the playback URL answers with a playlist now. */
  playable: boolean;
  /** The share of what is to be made ahead of time that exists, 0 to 1. */
  progress: number;
  durationSeconds: number | null;
  /** Null with protected playback: only a token, asked for by whoever holds the key, makes an address that plays. */
  playbackUrl: string | null;
  /**
   * A JPEG of the whole film, and a WebVTT track of pictures for the seek bar. Null until the video is planned, of sound,
   * and with protected playback.
   */
  posterUrl: string | null;
  storyboardUrl: string | null;
  renditions: RenditionStatus[];
  /** Null until there is a file, or at least a word of its size. */
  sizeBytes: number | null;
  createdAt: string;
  error?: VideoError;
  /** What it lacks of its source, and why; empty where nothing is missing, or nothing is known yet. */
  notices: Notice[];
  /** While it is processing: what it waits for, since when, and when it is tried again. */
  delayed?: VideoDelay;
  /** What a ready video costs on AWS, reckoned from its plan. */
  cost?: CostEstimate;
}

export type VideoDelay = Pick<Delay, 'code' | 'since' | 'retryAt'>;

/** What was stored of a failure; or, in a list, that a record of the video cannot be read. */
export interface VideoError {
  code: StoredError['code'] | RecordError['code'];
  message: string;
}

interface RenditionStatus {
  name: string;
  width: number | null;
  height: number | null;
  frameRate: number | null;
  codecs: string;
}

type Buckets = Pick<World, 'media' | 'uploads'>;

/** What all can watch who know an id; null with protected playback. */
export type PlaybackUrlOf = (id: string) => string | null;

/** @throws RequestError NOT_FOUND for an id that was never given out, or whose video was deleted; RecordError */
export async function videoStatus(
  id: string,
  buckets: Buckets,
  playbackUrlOf: PlaybackUrlOf,
): Promise<VideoStatus> {
  const { media, uploads } = buckets;
  const [card, plan, error, delay, source] = await Promise.all([
    readRecord(media, CARD, cardKey(id)),
    currentPlanOf(id, media),
    readRecord(media, ERROR, errorKey(id)),
    delayOf(id, buckets),
    uploads.head(sourceKey(id)),
  ]);
  if (!card) throw notFound('such video');
  const ready = plan && (await readyMarkerOf(id, plan.rev, media));
  // What became ready after a failure is ready.
  const state = ready ? 'ready' : error ? 'failed' : source ? 'processing' : 'waiting';
  const url = playbackUrlOf(id);
  return {
    id,
    title: shownTitle(card.filename ?? filenameOf(source) ?? '') || UNTITLED,
    state,
    playable: plan !== undefined,
    progress: ready ? 1 : plan ? await progressOf(id, plan, buckets) : 0,
    durationSeconds: plan ? durationSeconds(plan.grid) : null,
    playbackUrl: url,
    posterUrl: plan ? besidePlaylist(url, posterPath(plan)) : null,
    storyboardUrl: plan ? besidePlaylist(url, storyboardPath(plan)) : null,
    renditions: plan ? renditionStatuses(plan) : [],
    sizeBytes: source?.sizeBytes ?? card.sizeBytes ?? null,
    createdAt: card.createdAt,
    notices: [...(plan?.notices ?? []), ...(ready?.notices ?? [])],
    ...(state === 'failed' && error ? { error } : {}),
    ...(state === 'processing' && delay ? { delayed: delayedBy(delay) } : {}),
    ...(ready && plan && source
      ? { cost: costEstimate(plan, { sourceBytes: source.sizeBytes, artifactBytes: ready.storedBytes }) }
      : {}),
  };
}

const delayedBy = ({ code, since, retryAt }: Delay): VideoDelay => ({ code, since, retryAt });

function filenameOf(source: ObjectInfo | undefined): string | undefined {
  try {
    return decodeURIComponent(source?.metadata[FILENAME] ?? '') || undefined;
  } catch {
    return undefined; // not written by us
  }
}

/** One page, newest first; `after` is the last id of the page before. */
export async function listVideos(
  { limit, after }: { limit: number; after: string | undefined },
  buckets: Buckets,
  playbackUrlOf: PlaybackUrlOf,
): Promise<{ videos: VideoStatus[]; nextCursor?: string }> {
  const ids: string[] = [];
  for await (const { key } of buckets.media.list(CARDS, after && cardKey(after))) {
    const id = parseCardKey(key);
    if (id) ids.push(id);
    if (ids.length > limit) break;
  }
  const page = ids.slice(0, limit);
  const statuses = await Promise.allSettled(page.map((id) => videoStatus(id, buckets, playbackUrlOf)));
  const videos = statuses.flatMap((status, index) => {
    if (status.status === 'fulfilled') return [status.value];
    // Deleted between the listing and the look.
    if ((status.reason as { code?: string }).code === 'NOT_FOUND') return [];
    // One that cannot be read does not take the list with it.
    if (status.reason instanceof RecordError) return [unreadable(page[index]!, status.reason)];
    throw status.reason;
  });
  return ids.length > limit ? { videos, nextCursor: page.at(-1)! } : { videos };
}

function unreadable(id: string, { code, message }: RecordError): VideoStatus {
  return {
    ...{ id, title: UNTITLED, state: 'failed', playable: false, progress: 0, durationSeconds: null },
    ...{ playbackUrl: null, posterUrl: null, storyboardUrl: null, renditions: [], sizeBytes: null },
    createdAt: videoIdDate(id).toISOString(),
    notices: [],
    error: { code, message },
  };
}

async function progressOf(id: string, plan: Plan, { media }: Buckets): Promise<number> {
  const planned = prewarmedArtifacts(plan).map((artifact) => artifactKey(id, artifact));
  if (planned.length === 0) return 1;
  // At once, as they have a page for each thousand: twelve hours have 22 of each rendition.
  const { length } = revPrefix(id, plan.rev);
  const folders = new Set(planned.map((key) => key.slice(0, key.indexOf('/', length) + 1) || key));
  const stored = new Set<string>();
  const list = async (folder: string) => {
    for await (const { key } of media.list(folder)) stored.add(key);
  };
  await Promise.all([...folders].map(list));
  return planned.filter((key) => stored.has(key)).length / planned.length;
}

/** What a player chooses from: the rungs, or the sound where there are none. */
function renditionStatuses(plan: Plan): RenditionStatus[] {
  const frameRate = Math.round(valueOf(plan.grid.frameRate) * 1000) / 1000;
  const rungs = renditionsOf(plan, 'video');
  if (rungs.length > 0) {
    return rungs.map(({ name, width, height, codecs }) => ({ name, width, height, frameRate, codecs }));
  }
  return renditionsOf(plan, 'audio').map(({ name, codecs }) => ({
    ...{ name, codecs },
    ...{ width: null, height: null, frameRate: null },
  }));
}
