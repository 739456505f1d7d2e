// What a copy lacks of its source: found by comparing the packets of both, told by notices.

import { notice } from '../notices.ts';
import type { Notice } from '../notices.ts';
import type { CopyWay, Lacks } from './copy-ways.ts';
import type { Fault, LaterStream } from './decoding-log.ts';
import type { IndexedTrack } from './matroska.ts';
import { lossOf, packetTimes } from './packet-times.ts';
import type { CountedPackets, Loss } from './packet-times.ts';
import type { Probe } from './probe.ts';

/** The tracks of a copy, each with the times of its packets. */
export interface CopiedTracks {
  tracks: readonly IndexedTrack[];
  times: readonly CountedPackets[];
}

export interface TrackLoss extends Loss {
  kind: 'video' | 'audio';
  /** Of the source's track, from its first packet to its last. */
  sourceSeconds: number;
  sourcePackets: number;
  isWhole: boolean;
  /** Whether time stamps of the source are damaged, so that nobody knows when its packets are to be shown. */
  strays: boolean;
}

// The last packet of a broadcast is often half a packet, and no two demuxers agree on it.
const LEAST_SECONDS_LOST = 0.5;
const LEAST_PICTURES_LOST = 3;
const LEAST_SHARE_LOST = 0.01;
/** Of a source of very few pictures. */
const LEAST_SHARE_OF_FEW = 0.1;

/** What a copy lacks of each track that it was to hold. */
export function lossesOf(
  probe: Probe,
  counted: (streamIndex: number) => CountedPackets,
  copy: CopiedTracks,
  way: CopyWay,
): TrackLoss[] {
  return (['video', 'audio'] as const).flatMap((kind) => {
    const stream = probe[kind];
    if (!stream) return [];
    const source = counted(stream.index);
    const place = copy.tracks.findIndex((track) => track.kind === kind);
    const loss = lossOf(source, copy.times[place] ?? packetTimes().counted(), {
      // The copy's clock begins where the source does.
      shiftSeconds: probe.startSeconds,
      kind,
      // A decoder makes one picture of two fields.
      countsPackets: kind === 'video' && way.picture === 'copy',
    });
    // Within the sound it is silent for that long, or what follows is at another time than its picture.
    const ignoredSeconds = kind === 'audio' && loss.isWithin ? 0 : LEAST_SECONDS_LOST;
    const isWhole =
      loss.seconds <= ignoredSeconds &&
      loss.packets <= picturesIgnored(source.packets) &&
      (place >= 0 || source.packets === 0);
    const sourceSeconds = Math.max(0, source.lastSeconds - source.firstSeconds);
    const { strays } = source;
    return [{ ...loss, kind, isWhole, strays, sourceSeconds, sourcePackets: source.packets }];
  });
}

const picturesIgnored = (of: number): number =>
  Math.max(Math.min(LEAST_PICTURES_LOST, Math.ceil(of * LEAST_SHARE_OF_FEW)), of * LEAST_SHARE_LOST);

export function lacksOf(losses: readonly TrackLoss[]): Lacks {
  const [picture, sound] = (['video', 'audio'] as const).map((kind) =>
    losses.find((loss) => loss.kind === kind && !loss.isWhole),
  );
  return {
    picture: picture !== undefined,
    sound: sound !== undefined,
    soundEnd: sound?.isAtEnd ?? false,
  };
}

/** How much is lost in all, to choose among copies: a second counts as much whatever is lost in it. */
export const totalLoss = (losses: readonly TrackLoss[]): number =>
  losses.reduce((sum, { seconds, packets, sourcePackets, sourceSeconds }) => {
    const byPackets = sourcePackets > 0 ? (packets / sourcePackets) * sourceSeconds : 0;
    return sum + Math.max(seconds, byPackets);
  }, 0);

/** What is to be said of a copy that is the best there is. */
export const lossNotices = (losses: readonly TrackLoss[], tracks: readonly IndexedTrack[]): Notice[] =>
  losses
    .filter(({ isWhole, strays }) => !isWhole || strays)
    .map((loss) => {
      if (loss.isWhole) {
        const message = `Of the ${nameOf(loss)}, time stamps are damaged: parts may be missing, or at the wrong time.`;
        return notice('MEDIA_LOST', `${loss.kind}-0`, message);
      }
      const isThere = tracks.some(({ kind }) => kind === loss.kind);
      if (!isThere) return notice('MEDIA_LOST', null, `None of the ${nameOf(loss)} could be read.`);
      const track = `${loss.kind}-0`;
      return loss.isAtEnd
        ? notice('ENDS_EARLY', track, `Of the ${nameOf(loss)} the end could not be read: ${amountOf(loss)}.`)
        : notice(
            'MEDIA_LOST',
            track,
            `Of the ${nameOf(loss)} ${amountOf(loss)} could not be read: ${SHOWN_INSTEAD[loss.kind]}.`,
          );
    });

/** What is to be said of what could not be decoded while it was copied, and is not said yet. */
export function faultNotices(
  faults: readonly Fault[],
  probe: Probe,
  { picture }: CopyWay,
  told: readonly Notice[],
): Notice[] {
  return (['video', 'audio'] as const).flatMap((kind) => {
    const track = `${kind}-0`;
    if (told.some((notice) => notice.code === 'MEDIA_LOST' && notice.track === track)) return [];
    // A recording begins, and ends, with half a packet as often as not. But where pictures are shown without the key that they
    // begin with, something is missing; a decoder with threads says so with the first packet or with one of the next.
    const counts = kind === 'video' && picture === 'retimed' ? ['first', 'within'] : ['within'];
    const own = faults.filter(
      ({ streamIndex, place }) => streamIndex === probe[kind]?.index && counts.includes(place),
    );
    const seconds = new Set(own.map(({ seconds: at = 0 }) => Math.floor(at))).size;
    if (seconds === 0) return [];
    const message = `Of the ${nameOf({ kind })}, parts cannot be decoded within about ${seconds} s: ${DECODED_INSTEAD[kind]}.`;
    return [notice('MEDIA_LOST', track, message)];
  });
}

/** What is to be said of tracks that begin later than was looked for any. */
export const laterNotices = (later: readonly LaterStream[], probe: Probe): Notice[] =>
  (['video', 'audio'] as const).flatMap((kind) => {
    // What another track stands for is not missed.
    const first = probe[kind] ? undefined : later.find((stream) => stream.kind === kind);
    if (!first) return [];
    const message = `The ${nameOf({ kind })}, which begins about ${Math.round(first.seconds)} s into the file, was found too late and left out.`;
    return [notice('TRACK_LEFT_OUT', null, message)];
  });

const nameOf = ({ kind }: Pick<TrackLoss, 'kind'>): string => (kind === 'video' ? 'picture' : 'sound');
const DECODED_INSTEAD = {
  video: 'pictures are held there, or shown in part',
  audio: 'it is silent there, or distorted',
} as const;
const SHOWN_INSTEAD = { video: 'pictures are held there', audio: 'it is silent there' } as const;

// It is known to a fifth of a second at each end of a gap.
const amountOf = ({ seconds, sourceSeconds, packets, sourcePackets }: TrackLoss): string =>
  seconds > 0
    ? `about ${Math.max(1, Math.round(seconds))} of ${Math.max(1, Math.round(sourceSeconds))} seconds`
    : `${packets} of ${sourcePackets} pictures`;
