// A video as a player would fetch it: playlists, then segments, each over HTTP.

export interface Rendition {
  uri: string;
  /** The media playlist's text. */
  playlist: string;
  segments: { url: string; seconds: number }[];
}

/** All renditions that a multivariant playlist names, by the folder of their playlists. */
export async function renditionsAt(masterUrl: string): Promise<Map<string, Rendition>> {
  const master = await textAt(masterUrl);
  const uris = [...master.matchAll(/URI="([^"]+)"/g)]
    .map(([, uri]) => uri!)
    .concat(master.split('\n').filter((line) => line && !line.startsWith('#')));
  const renditions = new Map<string, Rendition>();
  for (const uri of uris) {
    const url = new URL(uri, masterUrl).href;
    const playlist = await textAt(url);
    const segments = [...playlist.matchAll(/#EXTINF:([\d.]+),\n(.+)\n/g)].map(([, seconds, name]) => ({
      url: new URL(name!, url).href,
      seconds: Number(seconds),
    }));
    renditions.set(uri.split('/').at(-2)!, { uri, playlist, segments });
  }
  return renditions;
}

/** @param signal when nobody wants it any more */
export async function bytesAt(url: string, signal?: AbortSignal): Promise<Buffer> {
  const answer = await fetch(url, signal ? { signal } : {});
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer());
}

const textAt = async (url: string): Promise<string> => (await bytesAt(url)).toString();
