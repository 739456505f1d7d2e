// What a <video> shows.

import type { Locator } from 'playwright-core';

/** Waits for a picture on the screen at `seconds` or soon after; resolves with its colour in the middle, as [r, g, b]. */
export const pictureAt = (video: Locator, seconds: number): Promise<number[]> =>
  video.evaluate(async (video: HTMLVideoElement, wanted) => {
    // Whoever looks late, on a slow machine, finds it playing on, or at its end.
    const isThere = () =>
      video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA &&
      !video.seeking &&
      video.currentTime > wanted - 3 &&
      video.currentTime < wanted + 15;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1, 1];
    const context = canvas.getContext('2d')!;
    for (;;) {
      while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
      context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
      const [red, green, blue, opacity] = context.getImageData(0, 0, 1, 1).data;
      // A machine that is busy may have the data of a picture, and not the picture.
      if (opacity! > 0) return [red!, green!, blue!];
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, seconds);
