// Everything the page knows, and how that changes. Pure: what touches network or document is in the other files.

import { UNTITLED, shownTitle } from '../../core/title.ts';
import type { Config, Video, VideoPage } from '../api.ts';
import { percentText } from '../format.ts';
import { UPLOAD_UNFINISHED, delayText, refusalOf } from '../problems.ts';
import type { Problem } from '../problems.ts';
import type { SavedUpload } from '../upload/saved-uploads.ts';
import type { Sample } from '../upload/transfer-rate.ts';

export interface State {
  config: Config | undefined;
  /** Why the page cannot begin, if so. */
  startProblem: Problem | undefined;
  /** The key must be asked for; `wrong` once one was refused, `trying` while one is being looked at. */
  keyForm: 'hidden' | 'empty' | 'trying' | 'wrong';
  serverGone: boolean;
  /** In the order they were dropped. What is done leaves the list. */
  uploads: Upload[];
  stage: Stage;
  player: PlayerState;
  /** Newest first. */
  videos: Video[];
  library: 'loading' | 'loaded' | 'failed';
  nextCursor: string | undefined;
  /** Videos whose poster could not be loaded. */
  posterless: ReadonlySet<string>;
  /** The video whose deletion waits for a yes. */
  deleting: string | undefined;
  notice: Problem | undefined;
  dragging: boolean;
  linkCopied: boolean;
}

export interface Upload {
  key: number;
  /** Undefined for the test clip, which the server makes, and for what an earlier visit left. */
  file: File | undefined;
  /** As it is shown; the file has the one that is sent. */
  name: string;
  sizeBytes: number;
  /** `unfinished` is what an earlier visit left: it goes on once its file is chosen again. */
  phase: 'queued' | 'asking' | 'sending' | 'making' | 'paused' | 'failed' | 'unfinished';
  sentBytes: number;
  samples: Sample[];
  /** Given out by the server once it has granted the upload. */
  id: string | undefined;
  /** What it takes to go on with it where it stopped. */
  saved: SavedUpload | undefined;
  problem: Problem | undefined;
}

/** What the big frame shows: the upload that will play there, then the video. */
export type Stage = { kind: 'empty' } | { kind: 'upload'; key: number } | { kind: 'video'; id: string };

export interface PlayerState {
  phase: 'starting' | 'started' | 'failed';
  muted: boolean;
  problem: Problem | undefined;
}

export const STARTING: PlayerState = { phase: 'starting', muted: false, problem: undefined };

export const INITIAL: State = {
  config: undefined,
  startProblem: undefined,
  keyForm: 'hidden',
  serverGone: false,
  uploads: [],
  stage: { kind: 'empty' },
  player: STARTING,
  videos: [],
  library: 'loading',
  nextCursor: undefined,
  posterless: new Set(),
  deleting: undefined,
  notice: undefined,
  dragging: false,
  linkCopied: false,
};

// --- uploads

export const newUpload = (key: number, file: File | undefined): Upload => ({
  key,
  file,
  name: file ? shownTitle(file.name) || UNTITLED : 'Test clip',
  sizeBytes: file?.size ?? 0,
  phase: 'queued',
  sentBytes: 0,
  samples: [],
  id: undefined,
  saved: undefined,
  problem: undefined,
});

export const unfinishedUpload = (key: number, saved: SavedUpload, sentBytes: number): Upload => ({
  ...newUpload(key, undefined),
  name: shownTitle(saved.name) || UNTITLED,
  sizeBytes: saved.sizeBytes,
  phase: 'unfinished',
  sentBytes,
  id: saved.id,
  saved,
});

/** The first file of a drop gets the stage, unless an upload has it already. */
export function uploadsAdded(state: State, added: Upload[]): State {
  const [first] = added;
  if (!first) return state;
  const holder = stageUpload(state);
  const isTaken = holder !== undefined && holder.phase !== 'failed';
  return {
    ...state,
    notice: undefined,
    uploads: [...state.uploads, ...added],
    stage: isTaken ? state.stage : { kind: 'upload', key: first.key },
  };
}

export const uploadChanged = (state: State, key: number, change: Partial<Upload>): State => ({
  ...state,
  uploads: state.uploads.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)),
});

/** Done: it is a video now, and plays if the stage was kept for it. */
export function uploadDone(state: State, key: number, video: Video): State {
  const next = videoSeen(withoutUpload(state, key), video);
  return isOnStage(state, key) ? videoChosen(next, video.id) : next;
}

/** A failure leaves the stage to the next in the queue; where there is none, it is told there. */
export function uploadFailed(state: State, key: number, problem: Problem): State {
  const next = uploadChanged(state, key, { phase: 'failed', problem, samples: [] });
  return isOnStage(state, key) ? { ...next, stage: nextStage(next) ?? next.stage } : next;
}

export function uploadCancelled(state: State, key: number): State {
  const next = withoutUpload(state, key);
  return isOnStage(state, key) ? { ...next, stage: nextStage(next) ?? { kind: 'empty' } } : next;
}

/** What has come of it in parts stays, and so does its turn for whoever waits; one request begins anew. */
export function uploadPaused(state: State, key: number): State {
  const isKept = state.uploads.find((upload) => upload.key === key)?.saved !== undefined;
  return uploadChanged(state, key, { phase: 'paused', samples: [], ...(isKept ? {} : { sentBytes: 0 }) });
}

/** Goes on, or begins anew where nothing is kept of it. The stage is its own if nobody is there. */
export function uploadResumed(state: State, key: number, file?: File): State {
  const upload = state.uploads.find((each) => each.key === key);
  if (!upload) return state;
  const anew = upload.saved ? {} : { sentBytes: 0, id: undefined };
  const next = uploadChanged(state, key, {
    ...anew,
    ...(file ? { file } : {}),
    phase: 'queued',
    samples: [],
    problem: undefined,
  });
  return state.stage.kind === 'empty' ? { ...next, stage: { kind: 'upload', key } } : next;
}

/** One after another: two at once would each take twice as long, and the first would play later. */
export function nextUpload({ uploads }: State): Upload | undefined {
  return uploads.some(isRunning) ? undefined : uploads.find(({ phase }) => phase === 'queued');
}

export const isRunning = ({ phase }: Upload): boolean =>
  phase === 'asking' || phase === 'sending' || phase === 'making';

export function stageUpload({ stage, uploads }: State): Upload | undefined {
  return stage.kind === 'upload' ? uploads.find(({ key }) => key === stage.key) : undefined;
}

const isOnStage = ({ stage }: State, key: number): boolean => stage.kind === 'upload' && stage.key === key;

const withoutUpload = (state: State, key: number): State => ({
  ...state,
  uploads: state.uploads.filter((upload) => upload.key !== key),
});

function nextStage({ uploads }: State): Stage | undefined {
  const next = uploads.find((upload) => isRunning(upload) || upload.phase === 'queued');
  return next && { kind: 'upload', key: next.key };
}

// --- videos

export const videoChosen = (state: State, id: string): State => ({
  ...state,
  stage: { kind: 'video', id },
  player: STARTING,
  linkCopied: false,
});

export const stageClosed = (state: State): State => ({ ...state, stage: { kind: 'empty' } });

export function stageVideo({ stage, videos }: State): Video | undefined {
  return stage.kind === 'video' ? videos.find(({ id }) => id === stage.id) : undefined;
}

export const videoSeen = (state: State, video: Video): State => ({
  ...state,
  videos: merged(state.videos, [video]),
});

export const videoGone = (state: State, id: string): State => ({
  ...state,
  videos: state.videos.filter((video) => video.id !== id),
  stage: state.stage.kind === 'video' && state.stage.id === id ? { kind: 'empty' } : state.stage,
  deleting: state.deleting === id ? undefined : state.deleting,
});

export const pageLoaded = (state: State, { videos, nextCursor }: VideoPage): State => ({
  ...state,
  library: 'loaded',
  videos: merged(state.videos, videos),
  nextCursor,
});

/** Uploads of this page are shown as such until they are done. */
export function listedVideos({ videos, uploads }: State): Video[] {
  const pending = new Set(uploads.map(({ id }) => id));
  return videos.filter(({ id }) => !pending.has(id));
}

function merged(known: readonly Video[], seen: readonly Video[]): Video[] {
  const byId = new Map([...known, ...seen].map((video) => [video.id, video]));
  return [...byId.values()].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

/** What an upload that just ended looks like before the server was asked. */
export const freshVideo = (
  { id, playbackUrl }: Pick<Video, 'id' | 'playbackUrl'>,
  { name, sizeBytes }: Upload,
  createdAt: string,
): Video => ({
  id,
  title: name,
  state: 'processing',
  playable: false,
  progress: 0,
  durationSeconds: null,
  playbackUrl,
  posterUrl: null,
  storyboardUrl: null,
  renditions: [],
  sizeBytes,
  createdAt,
  notices: [],
});

/**
 * Whose state to ask for next: every other time the one on stage, in between whoever has waited longest.
 * `asked` holds the ids in the order they were last asked for.
 */
export function videoToPoll(state: State, asked: ReadonlySet<string>): string | undefined {
  const order = [...asked];
  const watched = stageVideo(state);
  const isUnsettled = watched?.state === 'processing' || watched?.state === 'waiting';
  if (isUnsettled && order.at(-1) !== watched.id) return watched.id;
  const [other] = state.videos
    .filter((video) => video.state === 'processing' && video !== watched)
    .sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  return other?.id ?? (isUnsettled ? watched.id : undefined);
}

// --- words

/** The line below the picture. */
export function statusText(video: Video, player: PlayerState): string {
  switch (video.state) {
    case 'waiting':
      return 'Waiting for the upload to end';
    case 'processing':
      if (video.delayed) return delayText(video.delayed);
      return player.phase === 'starting' && video.progress === 0
        ? 'Starting …'
        : `Preparing all qualities: ${preparedText(video)}`;
    case 'ready':
      return 'Ready';
    case 'failed':
      return video.playable ? 'Not all qualities are ready' : 'Cannot be played';
  }
}

/** When every segment is there, the last measurements are still to come. */
export const preparedText = ({ progress }: Video): string => percentText(Math.min(progress, 0.99));

/** For screen readers: each change is spoken, so the steps are coarse. */
export function announcement(state: State): string {
  const upload = stageUpload(state) ?? state.uploads.find(isRunning);
  if (upload?.phase === 'failed') return '';
  if (upload?.phase === 'paused') return `The upload of ${upload.name} is paused.`;
  if (upload?.phase === 'making') return 'Making a test clip.';
  if (upload) return `Uploading ${upload.name}: ${quarter(upload.sentBytes / upload.sizeBytes)}.`;
  const video = stageVideo(state);
  if (!video || video.state === 'failed' || video.state === 'waiting') return '';
  if (video.state === 'ready') return `${video.title}: all qualities are ready.`;
  const prefix = state.player.phase === 'started' ? `${video.title} plays. ` : '';
  return `${prefix}Preparing all qualities: ${quarter(Math.min(video.progress, 0.99))}.`;
}

const quarter = (share: number): string => percentText(Math.floor((share || 0) * 4) / 4);

/** What stands over the picture instead of it. A video that failed half-way may well play. */
export function stageProblem(state: State): Problem | undefined {
  const upload = stageUpload(state);
  if (upload) return upload.problem;
  const video = stageVideo(state);
  return video && (obstacleOf(video) ?? state.player.problem);
}

/** The video that the player is to play. */
export function videoToPlay(state: State): Video | undefined {
  const video = stageVideo(state);
  return video && !obstacleOf(video) ? video : undefined;
}

function obstacleOf(video: Video): Problem | undefined {
  if (video.playable) return undefined;
  if (video.state === 'failed') return refusalOf(video);
  return video.state === 'waiting' ? UPLOAD_UNFINISHED : undefined;
}
