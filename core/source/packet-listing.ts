// Reads ffprobe's list of all packets of a source, which may be of any length, and counts those of two tracks: others may be hundreds.

import { packetTimes } from './packet-times.ts';
import type { CountedPackets } from './packet-times.ts';

export interface PacketListing {
  /** Takes the next characters of the list, lines of which may be incomplete. */
  push(text: string): void;
  /** What was found of one of the two tracks. */
  counted(streamIndex: number): CountedPackets;
}

/** No line is longer; what is, is no list. */
const MOST_CHARACTERS = 4096;

/**
 * @param pictures the stream of the picture: what is before its first key packet can be shown by nobody
 * @param sound the stream of the sound
 */
export function packetListing(pictures: number | undefined, sound: number | undefined): PacketListing {
  const tracks = new Map<number, { times: ReturnType<typeof packetTimes>; hasKey: boolean }>();
  let rest = '';

  function take(line: string): void {
    const [index = '', pts = '', dts = '', flags = ''] = line.split(',');
    if (!/^\d+$/.test(index)) return;
    if (Number(index) !== pictures && Number(index) !== sound) return;
    const isKey = flags.includes('K');
    let track = tracks.get(Number(index));
    if (!track || (isKey && !track.hasKey && Number(index) === pictures)) {
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

const secondsIn = (text: string): number | undefined =>
  text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
