// What a video says of parts of its tracks that could not be decoded.

import { notice } from '../notices.ts';
import type { Notice } from '../notices.ts';
import { renditionsOf, trackOf } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Rendition } from './renditions.ts';
import { segmentSeconds, segmentsOf } from './segments.ts';
import type { Track } from './tracks.ts';

/** A segment of a rendition of which a part could not be decoded. */
export interface LostSegment {
  rendition: string;
  index: number;
}

/** One for each track, in the plan's order. What is lost of one rendition is lost of its track's others too. */
export function lostNotices(plan: Plan, lost: readonly LostSegment[]): Notice[] {
  return plan.tracks.flatMap((track) => {
    const [rendition, ...others] = plan.renditions.filter((each) => each.track === track.id);
    if (!rendition) return [];
    const names = [rendition, ...others].map(({ name }) => name);
    const indices = new Set(
      lost.flatMap(({ rendition: name, index }) => (names.includes(name) ? [index] : [])),
    );
    return indices.size > 0
      ? [notice('MEDIA_LOST', track.id, sentence(plan, track, rendition, indices))]
      : [];
  });
}

function sentence(plan: Plan, track: Track, rendition: Rendition, indices: ReadonlySet<number>): string {
  const all = segmentsOf(plan, [rendition.name]);
  const seconds = (segments: typeof all): number =>
    segments.reduce((sum, { index }) => sum + segmentSeconds(plan, rendition, index), 0);
  const damaged = seconds(all.filter(({ index }) => indices.has(index)));
  const among = `Of the ${nameOf(plan, track)}, parts cannot be decoded within ${rounded(damaged)} of ${rounded(seconds(all))} s`;
  switch (track.kind) {
    case 'video':
      return `${among}: pictures are held there, or shown in part.`;
    case 'audio':
      return `${among}: it is silent there, or distorted.`;
    case 'text':
      return `${among}.`;
  }
}

/** Numbered where there are several of a kind. */
function nameOf(plan: Plan, track: Track): string {
  const ofKind = [...new Set(renditionsOf(plan, track.kind).map((rendition) => trackOf(plan, rendition).id))];
  const noun = { video: 'picture', audio: 'sound', text: 'text' }[track.kind];
  return ofKind.length > 1 ? `${noun} (track ${ofKind.indexOf(track.id) + 1})` : noun;
}

const rounded = (seconds: number): number => Math.max(1, Math.round(seconds));
