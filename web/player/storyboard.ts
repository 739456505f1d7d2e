// A storyboard: WebVTT whose cues name a part of a picture, `sheet.jpg#xywh=x,y,width,height`.

export interface Tile {
  fromSeconds: number;
  toSeconds: number;
  sheet: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Storyboard = Tile[];

export async function loadStoryboard(url: string): Promise<Storyboard> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return parseStoryboard(await answer.text(), new URL(url, location.href).href);
}

/** Cues that name no picture are left out. */
export function parseStoryboard(text: string, baseUrl: string): Storyboard {
  const cue = /^([\d:.]+) --> ([\d:.]+).*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;
  return [...text.replaceAll('\r\n', '\n').matchAll(cue)].map(([, from, to, sheet, ...place]) => {
    const [x, y, width, height] = place.map(Number) as [number, number, number, number];
    return {
      fromSeconds: secondsOf(from!),
      toSeconds: secondsOf(to!),
      sheet: new URL(sheet!, baseUrl).href,
      ...{ x, y, width, height },
    };
  });
}

/** The last one at the end and after it. */
export const tileAt = (storyboard: Storyboard | undefined, seconds: number): Tile | undefined =>
  storyboard?.find(({ toSeconds }) => seconds < toSeconds) ?? storyboard?.at(-1);

const secondsOf = (clock: string): number =>
  clock.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0);
