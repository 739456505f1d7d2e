// Probes of imaginary sources, for tests that need a plan but no file.

import type { PlannedSource } from '../../core/plan/plan.ts';
import type { AudioStream, Probe, VideoStream } from '../../core/source/probe.ts';

/** What segments of an imaginary source would be cut from. */
export const SOURCE: PlannedSource = { kind: 'upload', sizeBytes: 1_000_000, etag: 'e', keyframeSeconds: 2 };

export function probeOf(parts: {
  video?: Partial<VideoStream> & { frames?: number };
  audio?: Partial<AudioStream>;
}): Probe {
  const rate = parts.video?.baseFrameRate ?? { num: 25, den: 1 };
  const frames = parts.video?.frames ?? 250;
  return {
    format: 'mov,mp4,m4a,3gp,3g2,mj2',
    startSeconds: 0,
    durationSeconds: (frames * rate.den) / rate.num,
    video: parts.video && {
      index: 0,
      codec: 'h264',
      pixelFormat: 'yuv420p',
      width: 1280,
      height: 720,
      codedWidth: parts.video.width ?? 1280,
      codedHeight: 720,
      turn: 0,
      isInterlaced: false,
      colour: {},
      timeBase: { num: 1, den: rate.num },
      startPts: 0,
      durationSeconds: (frames * rate.den) / rate.num,
      frameCount: frames,
      baseFrameRate: rate,
      averageFrameRate: rate,
      ...parts.video,
    },
    audio: parts.audio && {
      index: 1,
      codec: 'aac',
      hasSetup: true,
      frameCount: undefined,
      sampleRate: 48_000,
      channels: 2,
      timeBase: { num: 1, den: 48_000 },
      startSeconds: 0,
      durationSeconds: (frames * rate.den) / rate.num,
      ...parts.audio,
    },
    furtherVideo: [],
    furtherAudio: [],
    text: [],
    notices: [],
  };
}
