// The sandbox: where ffmpeg decodes what strangers have sent. It knows no store and holds no right to one: whoever asks for
// something grants, task by task, the one source that may be read and the objects that may be written once. The broker's
// side (whoever asks) and the sandbox's side (perform.ts) share this file and nothing else.

import type { Still } from '../../core/artifacts/artifact.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { PlanSettings } from '../../core/plan/plan-for.ts';
import type { SourceLimits } from '../../core/limits.ts';
import type { LostPart } from '../../core/records/lost.ts';
import type { Mezzanine } from '../../core/records/mezzanine.ts';
import type { Probe } from '../../core/source/probe.ts';
import type { MezzanineReason } from '../../core/source/seekability.ts';
import type { RangeSource } from '../../machine/range-server.ts';
import type { ObjectUpload, SentPart, WriteLink } from '../store.ts';

/** What is asked of the source. */
export interface SourceSettings extends PlanSettings, SourceLimits {}

/** What was uploaded, by its size in bytes and its entity tag. */
export interface UploadedObject {
  sizeBytes: number;
  etag: string;
}

/** The plan of a source; with `foresees`, its first segments as well, begun before it is decided. */
export interface PlanTask {
  kind: 'plan';
  object: UploadedObject;
  settings: SourceSettings;
  foresees: boolean;
}

/** What planning has found of a source that has to be copied first. Only the sandbox looks into it. */
export interface CopyNeed {
  probe: Probe;
  reason: MezzanineReason;
}

/** The copy of a source, and the plan of that. */
export interface CopyTask {
  kind: 'copy';
  object: UploadedObject;
  settings: SourceSettings;
  need: CopyNeed;
  /** The copy's key, as its plan will name it. */
  key: string;
  /** What is on record of the copy; what is stored is not made again, and what is lost in the way in which it was made. */
  known: { mezzanine: Mezzanine; isStored: boolean } | null;
}

/** Segments `from` up to, not including, `to` of some renditions. */
export interface SegmentsTask {
  kind: 'segments';
  plan: Plan;
  renditions: readonly string[];
  from: number;
  to: number;
  /** As the plan says of what is made ahead of time, or quickly. */
  effort: 'planned' | 'quick';
  /** In the background it gives way to what somebody waits for. */
  line: 'viewers' | 'background';
  /**
   * Where segments are granted: those by `{rendition}/{index}` whose bytes are wanted instead. Of all others that are not
   * granted nothing is wanted.
   */
  returned?: readonly string[];
}

export interface InitTask {
  kind: 'init';
  plan: Plan;
  rendition: string;
}

export interface StillTask {
  kind: 'still';
  plan: Plan;
  still: Still;
}

/** Whether anything of the source can be decoded; where nothing can, the task fails with SourceError DAMAGED. */
export interface SearchTask {
  kind: 'search';
  plan: Plan;
}

export type Task = PlanTask | CopyTask | SegmentsTask | InitTask | StillTask | SearchTask;

/** What a task may reach: objects for a sandbox in this process, links to them for one elsewhere. */
export interface Grants {
  /** The video. No process that has worked for one video works for another. */
  id: string;
  source: GrantedSource;
  /** By `{rendition}/{index}`: a segment that has one is stored by the sandbox, unless it was rescued. */
  segments?: ReadonlyMap<string, WriteOnce>;
  /** Where a copy goes, piece by piece. */
  copy?: Pick<ObjectUpload, 'part' | 'partLinks'>;
}

export interface GrantedSource extends RangeSource {
  /** Of the object that is meant, and no other. */
  etag: string | undefined;
  /** Whether we have made it ourselves, so that it can be made again where it is gone. */
  isCopy?: boolean | undefined;
  link(): Promise<string>;
}

/** An object that may be written where there is none. */
export interface WriteOnce {
  put(bytes: Uint8Array): Promise<'stored' | 'exists'>;
  link(): Promise<WriteLink>;
}

/** A segment that was made: its bytes, or what has become of them in the store. */
export interface SegmentReply {
  kind: 'segment';
  rendition: string;
  index: number;
  rescue?: LostPart['rescue'] | undefined;
  made: { bytes: Uint8Array } | { outcome: 'stored' | 'exists' };
}

export type Reply =
  | { kind: 'planned'; plan: Plan; sourceBytesRead: number }
  | { kind: 'copy needed'; need: CopyNeed; sourceBytesRead: number }
  /** `parts` of what was granted are the copy; none where it is stored already. */
  | { kind: 'copied'; plan: Plan; mezzanine: Mezzanine; parts: SentPart[]; sourceBytesRead: number }
  | SegmentReply
  | { kind: 'bytes'; bytes: Uint8Array }
  /** The last one of all tasks but those that say so themselves. */
  | { kind: 'read'; sourceBytesRead: number };

export type ReplyOf<Kind extends Reply['kind']> = Extract<Reply, { kind: Kind }>;

export interface TaskOptions {
  /** When nobody wants it any more: what waits for its turn, or has hardly begun, is given up. */
  leave?: AbortSignal | undefined;
  /**
   * Until whoever asks is ended from outside. A copy, a picture, and segments that are granted end before that with TIMED_OUT;
   * of the segments, those that are whole have been told by then.
   */
  secondsLeft?: (() => number) | undefined;
}

export interface Sandbox {
  /**
   * Does a task; resolves when it is done. Replies are told one at a time.
   * @throws SourceError; OutageError, also where there is no sandbox to be had; FfmpegError; RequestError where the source
   *   is gone or another; the reason of `leave`; whatever `tell` throws
   */
  run(
    task: Task,
    grants: Grants,
    tell: (reply: Reply) => Promise<void> | void,
    options?: TaskOptions,
  ): Promise<void>;
}
