// Whether bytes that a store gave for an artifact are all of it, by what the plan says of it: for what nobody has noted
// the length of, such as what earlier releases stored.

import { adtsFrames, unpackedAudio } from '../formats/adts.ts';
import { isWholeJpeg } from '../formats/jpeg.ts';
import type { Artifact } from './keys.ts';
import type { Plan } from '../plan/plan.ts';
import { mediaPlaylist, multivariantPlaylist } from '../playlists/playlists.ts';
import { audioFrames, videoFrames } from '../plan/segments.ts';
import { storyboardTrack } from '../plan/stills.ts';
import { countPictures } from '../formats/transport-stream/pictures.ts';

/** @param plan of the artifact's own revision; of the current one, for an artifact that names none */
export function isWholeArtifact(plan: Plan, artifact: Artifact, bytes: Uint8Array): boolean {
  switch (artifact.kind) {
    case 'segment':
      return artifact.extension === 'ts'
        ? countPictures(bytes) === lengthOf(videoFrames(plan.grid, artifact.index))
        : isWholeSound(plan, artifact.index, bytes);
    case 'poster':
    case 'thumb':
    case 'sheet':
      return isWholeJpeg(bytes);
    // Texts may have been worded otherwise by another release, but end with the last of what they list.
    case 'playlist':
      return endsAs(bytes, mediaPlaylist(plan, artifact.rendition));
    case 'multivariant':
      return endsAs(bytes, multivariantPlaylist(plan));
    case 'storyboard':
      return plan.stills !== null && endsAs(bytes, storyboardTrack(plan, plan.stills, ''));
  }
}

const lengthOf = ({ from, to }: { from: number; to: number }): number => to - from;

function isWholeSound({ grid, audio }: Plan, index: number, bytes: Uint8Array): boolean {
  if (!audio) return false;
  try {
    const frames = adtsFrames(unpackedAudio(bytes));
    return frames.length === lengthOf(audioFrames(grid, audio, index));
  } catch {
    return false; // it ends within a frame
  }
}

function endsAs(bytes: Uint8Array, expected: string): boolean {
  const lastLine = expected.trimEnd().split('\n').at(-1)!;
  // An address in it may have something before it.
  return Buffer.from(bytes).toString('utf8').endsWith(`${lastLine}\n`);
}
