// Fetches a video as a player would: the multivariant playlist, the playlists of its first variant, then the
// segments of one place, picture and sound together.

import { HeadObjectCommand, NotFound } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { bytesAt } from '../../test/support/hls.ts';

export interface LowestStream {
  pictures: Segment[];
  /** Cut where the pictures are cut. */
  sound: Segment[];
}

interface Segment {
  url: string;
  seconds: number;
}

export async function openLowest(masterUrl: string): Promise<LowestStream> {
  const master = (await bytesAt(masterUrl)).toString();
  // The lowest rung comes first, and one for cellular lines last; the usual sound is the first as well.
  const picturesUri = /^#EXT-X-STREAM-INF:.*\n(.+)$/m.exec(master)![1]!;
  const soundUri = /^#EXT-X-MEDIA:.*TYPE=AUDIO.*URI="([^"]+)"/m.exec(master)![1]!;
  const [pictures, sound] = await Promise.all(
    [picturesUri, soundUri].map((uri) => segmentsOf(new URL(uri, masterUrl))),
  );
  return { pictures: pictures!, sound: sound! };
}

async function segmentsOf(playlistUrl: URL): Promise<Segment[]> {
  const playlist = (await bytesAt(playlistUrl.href)).toString();
  return [...playlist.matchAll(/^#EXTINF:([\d.]+),.*\n(.+)$/gm)].map(([, seconds, uri]) => ({
    url: new URL(uri!, playlistUrl).href,
    seconds: Number(seconds),
  }));
}

const urlsAt = ({ pictures, sound }: LowestStream, index: number): string[] =>
  [pictures, sound].map((segments) => segments[index]!.url);

/** Seconds from the start of the video to the middle of a segment. */
export const middleOf = ({ pictures }: LowestStream, index: number): number =>
  pictures.slice(0, index).reduce((sum, { seconds }) => sum + seconds, pictures[index]!.seconds / 2);

/** Resolves when both segments have arrived whole. */
export async function fetchSegments(stream: LowestStream, index: number): Promise<void> {
  await Promise.all(urlsAt(stream, index).map(bytesAt));
}

/** @throws Error where the store already holds a segment of this place: fetching it would measure nothing. */
export async function expectUnmade(media: S3Client, stream: LowestStream, index: number): Promise<void> {
  for (const url of urlsAt(stream, index)) {
    const key = new URL(url).pathname.slice(1);
    const command = new HeadObjectCommand({ Bucket: 'instant-hls-media', Key: key });
    const isMade = await media.send(command).then(
      () => true,
      (error: unknown) => {
        if (error instanceof NotFound) return false;
        throw error;
      },
    );
    if (isMade) throw new Error(`${key} was made before anyone asked for it: the film is too short.`);
  }
}
