// Reads ffprobe's list of all packets of a source, which may be of any length, and counts those of two tracks: others may be hundreds.

import { isBareVideo } from './bare/bare-streams.ts';
import { isShownWithoutKey } from './copy-ways.ts';
import { packetTimes } from './packet-times.ts';
import type { CountedPackets } from './packet-times.ts';
import type { Probe } from './probe.ts';

export interface PacketListing {
  /** Takes the next characters of the list, lines of which may be incomplete. */
  push(text: string): void;
  /** What was found of one of the two tracks. */
  counted(streamIndex: number): CountedPackets;
}

/** Of a probe, what tells which packets count. */
interface PacketsOf {
  video?: Pick<NonNullable<Probe['video']>, 'index' | 'codec'> | undefined;
  audio?: Pick<NonNullable<Probe['audio']>, 'index'> | undefined;
}

/** No line is longer; what is, is no list. */
const MOST_CHARACTERS = 4096;

/** Lists the picture and the sound of a source. */
export function packetListing({ video, audio }: PacketsOf): PacketListing {
  const [pictures, sound] = [video?.index, audio?.index];
  // What is before its first key can be shown by nobody, in most codecs.
  const waitsForKey = video !== undefined && !isShownWithoutKey(video.codec);
  const tracks = new Map<number, { times: ReturnType<typeof packetTimes>; hasKey: boolean }>();
  let rest = '';

  function take(line: string): void {
    const [index = '', pts = '', dts = '', flags = ''] = line.split(',');
    if (!/^\d+$/.test(index)) return;
    if (Number(index) !== pictures && Number(index) !== sound) return;
    const isKey = flags.includes('K');
    let track = tracks.get(Number(index));
    if (!track || (isKey && !track.hasKey && Number(index) === pictures && waitsForKey)) {
      track = { times: packetTimes(), hasKey: isKey };
      tracks.set(Number(index), track);
    }
    // An edit list leaves it out.
    if (!flags.includes('D')) track.times.add(secondsIn(pts) ?? secondsIn(dts));
  }

  return {
    push(text) {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-MOST_CHARACTERS);
      lines.forEach(take);
    },
    counted: (streamIndex) => (tracks.get(streamIndex)?.times ?? packetTimes()).counted(),
  };
}

/** Whether ffprobe says, as it makes such a list, that its demuxer could not read something within the file. */
export const saysDamaged = (said: string, { format }: Pick<Probe, 'format'>): boolean =>
  !isBareVideo(format) &&
  !NAMED_ALIKE.includes(format) &&
  [...said.matchAll(COMPLAINT)].some(([, speaker, text = '']) => speaker === format && !OF_END.test(text));

/** Demuxers whose decoder has the same name: what that says of the first picture or sound is not of the file. */
const NAMED_ALIKE = ['aac', 'ac3', 'eac3', 'mp3', 'flac', 'dts', 'truehd', 'gif'];
const COMPLAINT = /^\[(\S+) @ 0x[0-9a-f]+\] (.*)$/gm;
/** A recording that was stopped ends like that: what it holds is shown. */
const OF_END = /ended prematurely|partial file|^Packet mismatch 0 /;

const secondsIn = (text: string): number | undefined =>
  text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
