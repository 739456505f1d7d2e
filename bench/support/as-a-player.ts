// Fetches a video as a player would: the multivariant playlist, the playlists of its first variant and of the sound of that,
// then the segments of one place, picture and sound together.

import { HeadObjectCommand, NotFound } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { bytesAt } from '../../test/support/hls.ts';

export interface FirstStream {
  pictures: Segment[];
  /** Cut where the pictures are cut. */
  sound: Segment[];
}

interface Segment {
  url: string;
  seconds: number;
}

export async function openFirst(masterUrl: string): Promise<FirstStream> {
  const master = (await bytesAt(masterUrl)).toString();
  const [, group, pictureUri] = /^#EXT-X-STREAM-INF:.*AUDIO="([^"]+)".*\n(.+)$/m.exec(master)!;
  const media = master
    .split('\n')
    .find((line) => line.includes('TYPE=AUDIO') && line.includes(`GROUP-ID="${group}"`));
  const soundUri = /URI="([^"]+)"/.exec(media!)![1]!;
  const [pictures, sound] = await Promise.all(
    [pictureUri!, soundUri].map((uri) => segmentsOf(new URL(uri, masterUrl))),
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

const urlsAt = ({ pictures, sound }: FirstStream, index: number): string[] =>
  [pictures, sound].map((segments) => segments[index]!.url);

/** Seconds from the start of the video to the middle of a segment. */
export const middleOf = ({ pictures }: FirstStream, index: number): number =>
  pictures.slice(0, index).reduce((sum, { seconds }) => sum + seconds, pictures[index]!.seconds / 2);

/** Resolves when both segments have arrived whole. */
export async function fetchSegments(stream: FirstStream, index: number, signal?: AbortSignal): Promise<void> {
  await Promise.all(urlsAt(stream, index).map((url) => bytesAt(url, signal)));
}

/** @throws Error where the store already holds a segment of this place: fetching it would measure nothing. */
export async function expectUnmade(media: S3Client, stream: FirstStream, index: number): Promise<void> {
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
