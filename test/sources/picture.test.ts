// Whatever a camera, a phone or an editor makes of a picture, it comes out upright, with square pixels, in 8-bit 4:2:0, and
// in its own colours. The picture has a colour in each of its quarters, so that all of this can be seen.

import { mainTrack, renditionsOf } from '../../core/plan/plan.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ffmpeg, ffprobe, temporaryDirectory } from '../support/media.ts';
import { encodeInPieces, joined } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const QUARTERS = { topLeft: 'red', topRight: 'lime', bottomLeft: 'blue', bottomRight: '0x404040' };
const [RED, GREEN, BLUE, GREY] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [64, 64, 64],
];
const AS_IT_IS = [RED, GREEN, BLUE, GREY];

/** A second of the picture as a lavfi source. */
function quarters(width: number, height: number): string[] {
  const box = (x: string, y: string, colour: string) => `drawbox=x=${x}:y=${y}:w=iw:h=ih:c=${colour}:t=fill`;
  const { topLeft, topRight, bottomLeft, bottomRight } = QUARTERS;
  const boxes = [box('iw/2', '0', topRight), box('0', 'ih/2', bottomLeft), box('iw/2', 'ih/2', bottomRight)];
  return [
    '-f',
    'lavfi',
    '-i',
    `color=${topLeft}:s=${width}x${height}:r=25:d=1,format=gbrp,${boxes.join(',')}`,
  ];
}

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
const BT601 = 'scale=out_color_matrix=bt601:out_range=tv';
const yuv = (format: string, ...filters: string[]) => [
  '-vf',
  [...filters, BT601, `format=${format}`].join(','),
];
const plain = [...yuv('yuv420p'), ...X264];
/** White at 203 nits, as a high dynamic range camera writes it. */
const wide = (transfer: 'smpte2084' | 'arib-std-b67' | 'bt709') => [
  '-vf',
  `scale=out_color_matrix=bt709:out_range=tv,format=yuv444p,zscale=min=709:pin=709:tin=709:rin=limited:p=2020:t=${transfer}:m=2020_ncl:r=limited:npl=203,format=yuv420p10le`,
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'],
  ...['-color_primaries', 'bt2020', '-color_trc', transfer, '-colorspace', 'bt2020nc'],
];

interface Case {
  size?: [number, number];
  extension: string;
  encoders: string[];
  /** Counterclockwise, as ffmpeg 4.1 takes it; by a second, copying run, as it turns what it encodes. */
  rotate?: number;
  /** Of the display matrix, in whole numbers: where the picture's axes point. */
  matrix?: [a: number, b: number, c: number, d: number];
  shown: [number, number];
  colours?: (number[] | undefined)[];
  /** How far a colour may be off, of 255; grey, which has no matrix and much range, is held to 6 everywhere. */
  tolerance?: number;
}

const CASES: Record<string, Case> = {
  'as it is': { extension: 'mp4', encoders: plain, shown: [320, 240] },
  'turned by 90°': {
    ...{ extension: 'mp4', encoders: plain, rotate: -90 },
    ...{ shown: [240, 320], colours: [BLUE, RED, GREY, GREEN] },
  },
  'turned by 180°': {
    ...{ extension: 'mov', encoders: plain, rotate: -180 },
    ...{ shown: [320, 240], colours: [GREY, BLUE, GREEN, RED] },
  },
  'turned by 270°': {
    ...{ extension: 'mp4', encoders: plain, rotate: -270 },
    ...{ shown: [240, 320], colours: [GREEN, GREY, RED, BLUE] },
  },
  'mirrored, as by a front camera': {
    ...{ extension: 'mp4', encoders: plain, matrix: [-1, 0, 0, 1] },
    ...{ shown: [320, 240], colours: [GREEN, RED, GREY, BLUE] },
  },
  'upside down, and mirrored': {
    ...{ extension: 'mp4', encoders: plain, matrix: [1, 0, 0, -1] },
    ...{ shown: [320, 240], colours: [BLUE, GREY, RED, GREEN] },
  },
  'turned by 90° and mirrored': {
    ...{ extension: 'mov', encoders: plain, matrix: [0, 1, 1, 0] },
    ...{ shown: [240, 320], colours: [RED, BLUE, GREEN, GREY] },
  },
  'pixels twice as wide as high': {
    size: [160, 240],
    extension: 'mp4',
    encoders: [...yuv('yuv420p', 'setsar=2'), ...X264],
    shown: [320, 240],
  },
  'pixels of widescreen PAL, in MPEG-2': {
    size: [720, 576],
    extension: 'mpg',
    encoders: ['-vf', `${BT601},format=yuv420p,setsar=64/45`, '-c:v', 'mpeg2video', '-q:v', '2'],
    shown: [1024, 576],
  },
  'odd sizes': {
    size: [161, 121],
    extension: 'webm',
    encoders: [...yuv('yuv420p'), '-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '1M'],
    shown: [162, 122],
  },
  'as small as 16 × 16': {
    size: [16, 16],
    extension: 'mp4',
    encoders: plain,
    shown: [16, 16],
    tolerance: 60,
  },
  '10 bit': {
    extension: 'mkv',
    encoders: [
      ...yuv('yuv420p10le'),
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=none',
    ],
    shown: [320, 240],
  },
  '10 bit 4:2:2': {
    extension: 'mov',
    encoders: [...yuv('yuv422p10le'), '-c:v', 'prores_ks'],
    shown: [320, 240],
  },
  '4:4:4': { extension: 'mp4', encoders: [...yuv('yuv444p'), ...X264], shown: [320, 240] },
  '12 bit 4:4:4 with alpha': {
    extension: 'mov',
    encoders: ['-vf', `${BT601},format=yuva444p10le`, '-c:v', 'prores_ks', '-profile:v', '4444'],
    shown: [320, 240],
  },
  RGB: { extension: 'mkv', encoders: ['-c:v', 'libx264rgb', '-preset', 'ultrafast'], shown: [320, 240] },
  'RGB with alpha': {
    extension: 'mov',
    encoders: ['-vf', 'format=argb', '-c:v', 'qtrle'],
    shown: [320, 240],
  },
  'full range': {
    extension: 'mp4',
    encoders: [
      '-vf',
      'scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p',
      ...X264,
      '-color_range',
      'pc',
    ],
    shown: [320, 240],
  },
  'full range of MJPEG': {
    extension: 'avi',
    encoders: [
      '-vf',
      'scale=out_color_matrix=bt601:out_range=pc,format=yuvj422p',
      '-c:v',
      'mjpeg',
      '-q:v',
      '2',
    ],
    shown: [320, 240],
  },
  'BT.709, said so': {
    extension: 'mp4',
    encoders: [
      ...['-vf', 'scale=out_color_matrix=bt709:out_range=tv,format=yuv420p', ...X264],
      ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ],
    shown: [320, 240],
  },
  'wide gamut': { extension: 'mp4', encoders: wide('bt709'), shown: [320, 240] },
  'HDR with PQ': { extension: 'mp4', encoders: wide('smpte2084'), shown: [320, 240], tolerance: 50 },
  'HDR with HLG': { extension: 'mp4', encoders: wide('arib-std-b67'), shown: [320, 240], tolerance: 50 },
};

test.each(Object.entries(CASES))(
  '%s',
  async (
    name,
    { size = [320, 240], extension, encoders, rotate, matrix, shown, colours = AS_IT_IS, tolerance = 30 },
  ) => {
    let source = join(directory.path, `source.${extension}`);
    await ffmpeg(...quarters(...size), ...encoders, source);
    if (rotate) {
      const turned = join(directory.path, `turned.${extension}`);
      await ffmpeg('-i', source, '-c', 'copy', '-metadata:s:v', `rotate=${rotate}`, turned);
      source = turned;
    }
    if (matrix) await writeFile(source, withMatrix(await readFile(source), matrix));
    const { plan, segments } = await encodeInPieces(source, directory.path);
    const made = await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path);
    const { width, height, pix_fmt, sample_aspect_ratio, color_range } = (
      await ffprobe('-show_streams', '-select_streams', 'v', made)
    ).streams[0] as Record<string, unknown>;
    expect({ shown: [width, height], pix_fmt, sample_aspect_ratio, color_range }).toEqual({
      ...{ shown, pix_fmt: 'yuv420p', sample_aspect_ratio: '1:1', color_range: 'tv' },
    });
    const found = await coloursIn(made);
    found.forEach((colour, quarter) => {
      const wanted = colours[quarter]!;
      const off = Math.max(...colour.map((value, channel) => Math.abs(value - wanted[channel]!)));
      const most = wanted === GREY && !name.startsWith('HDR') ? 6 : tolerance;
      expect({ quarter, colour, isRight: off <= most }).toEqual({ quarter, colour, isRight: true });
    });
  },
);

/** An MP4 whose first track header has another matrix (ISO/IEC 14496-12, section 8.3.2), in numbers of 16.16 bits. */
function withMatrix(mp4: Buffer, [a, b, c, d]: [number, number, number, number]): Buffer {
  const start = mp4.indexOf('tkhd') + 4 + 40;
  [a, b, 0, c, d, 0].forEach((value, index) => {
    if (index % 3 < 2) mp4.writeInt32BE(value * 65_536, start + index * 4);
  });
  return mp4;
}

/** Red, green and blue in the middle of each quarter of the first picture. */
async function coloursIn(path: string): Promise<number[][]> {
  const { stdout } = await ffmpeg(
    ...['-i', path, '-map', '0:v', '-frames:v', '1', '-vf', 'scale=8:8:flags=area,format=rgb24'],
    ...['-f', 'rawvideo', '-'],
  );
  return [
    [2, 2],
    [5, 2],
    [2, 5],
    [5, 5],
  ].map(([x, y]) => [...stdout.subarray((y! * 8 + x!) * 3, (y! * 8 + x!) * 3 + 3)]);
}

test('interlaced pictures become whole ones', async () => {
  const source = join(directory.path, 'interlaced.mpg');
  // A bar that moves 12 pixels between the fields of a picture.
  const bar =
    "color=black:s=640x240:r=50:d=2,drawbox=x=300:y=0:w=40:h=240:c=white:t=fill,crop=320:240:x='mod(n*12,280)':y=0";
  await ffmpeg(
    ...['-f', 'lavfi', '-i', bar, '-vf', 'tinterlace=interleave_top,fieldorder=tff'],
    ...['-c:v', 'mpeg2video', '-flags', '+ilme+ildct', '-q:v', '2', source],
  );
  const { plan, segments } = await encodeInPieces(source, directory.path);
  expect(mainTrack(plan, 'video')!.processing.deinterlace).toBe(true);
  const made = await joined(segments, renditionsOf(plan, 'video')[0]!.name, directory.path);
  const before = await combing(source);
  expect(before).toBeGreaterThan(8);
  expect(await combing(made)).toBeLessThan(before / 4);
});

/** How much neighbouring lines differ from each other more than from those two further on, of 255: the mean of ten pictures. */
async function combing(path: string): Promise<number> {
  const { stdout } = await ffmpeg(
    ...[
      '-i',
      path,
      '-map',
      '0:v',
      '-vf',
      "select='between(n,5,14)',format=gray",
      '-vsync',
      '0',
      '-f',
      'rawvideo',
      '-',
    ],
  );
  const [width, height] = [320, 240];
  let [sum, count] = [0, 0];
  for (let start = 0; start + width * height <= stdout.length; start += width * height) {
    for (let y = 0; y + 2 < height; y += 1) {
      for (let x = 0; x < width; x += 4) {
        const at = (line: number) => stdout[start + line * width + x]!;
        sum += Math.max(0, Math.abs(at(y) - at(y + 1)) - Math.abs(at(y) - at(y + 2)));
        count += 1;
      }
    }
  }
  return sum / count;
}
