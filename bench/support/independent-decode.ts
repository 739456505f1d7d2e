// What a file shows and plays, decoded by the system's ffmpeg: neither our tools nor our code have a say in it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const SIDE = 32;
const PICTURE_BYTES = SIDE * SIDE;
/** Sound is compared by the loudness of so much of it. */
export const LOUDNESS_SECONDS = 0.005;
const MOST_OUTPUT_BYTES = 1024 * 1024 * 1024;

export interface Decoded {
  /** Null where the file has none. */
  pictures: Pictures | null;
  sound: Sound | null;
  /** Where its first packet says that it begins, which may be one of which nothing can be decoded. */
  startSeconds?: number | undefined;
}

export interface Pictures {
  /** Seconds on the file's own clock, ascending. */
  times: number[];
  /** 32 × 32 luma of each, upright. */
  looks: Uint8Array[];
}

export interface Sound {
  startSeconds: number;
  /** Root mean square of each 5 ms from there on; 0 where nothing is. */
  loudness: Float64Array;
}

interface Stream {
  color_transfer?: string;
  index: number;
  codec_type: string;
  codec_name?: string;
  width?: number;
  disposition?: { default?: number; attached_pic?: number };
  avg_frame_rate?: string;
  side_data_list?: { displaymatrix?: string }[];
}

/** @param shape width by height of the frame that smaller or other pictures are fitted into */
export async function decoded(path: string, shape: number | undefined): Promise<Decoded> {
  const { video, audio, startSeconds } = await streamsOf(path);
  return {
    startSeconds,
    pictures: video ? await picturesOf(path, video, shape) : null,
    sound: audio ? await soundOf(path, audio) : null,
  };
}

/** The streams that a player takes: the default ones, and to a programme's picture its own sound. */
async function streamsOf(
  path: string,
): Promise<{ video?: Stream | undefined; audio?: Stream | undefined; startSeconds?: number | undefined }> {
  const { stdout } = await promisify(execFile)('ffprobe', [
    ...['-v', 'error', '-analyzeduration', '120M', '-probesize', '200M', '-of', 'json'],
    ...['-show_streams', '-show_programs', '-show_format', path],
    // One track that it cannot open keeps it from saying anything of the others.
  ]).catch(() => ({ stdout: '{}' }));
  const {
    streams = [],
    programs = [],
    format,
  } = JSON.parse(stdout) as {
    format?: { start_time?: string };
    streams?: Stream[];
    programs?: { streams?: Stream[] }[];
  };
  const chosen = (among: Stream[]) => among.find(({ disposition }) => disposition?.default) ?? among[0];
  const isPicture = ({ codec_type, width, disposition }: Stream) =>
    codec_type === 'video' && Boolean(width) && !disposition?.attached_pic;
  const isSound = ({ codec_type, codec_name }: Stream) =>
    codec_type === 'audio' && codec_name !== undefined && codec_name !== 'unknown';
  const video = chosen(streams.filter(isPicture));
  const programme = programs.find((own) => own.streams?.some(({ index }) => index === video?.index));
  const beside = programme?.streams?.filter(isSound) ?? [];
  const startSeconds = format?.start_time === undefined ? undefined : Number(format.start_time);
  return { startSeconds, video, audio: chosen(beside.length > 0 ? beside : streams.filter(isSound)) };
}

/** Pictures of high dynamic range as a screen without it shows them: their levels are no light that could be compared. */
const intoSdr = ({ color_transfer }: Stream): string[] =>
  color_transfer === 'smpte2084'
    ? [
        'zscale=w=320:h=-2',
        'zscale=t=linear:npl=100',
        'format=gbrpf32le',
        'tonemap=hable:desat=0',
        'zscale=t=bt709:m=bt709:p=bt709:r=tv',
      ]
    : [];

async function picturesOf(path: string, stream: Stream, shape: number | undefined): Promise<Pictures> {
  const matrix = matrixOf(stream);
  const isSideways = matrix[0] === 0;
  // Grey from here on: with colours at half the size no odd side could be padded.
  const filters = [...intoSdr(stream), 'format=gray', 'scale=iw*sar:ih', 'setsar=1'];
  if (shape !== undefined) {
    const own = isSideways ? 1 / shape : shape;
    const [width, height] = own >= 1 ? [256, Math.round(256 / own)] : [Math.round(256 * own), 256];
    filters.push(
      `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=area`,
      `pad=${width}:${height}:-1:-1`,
    );
  }
  filters.push(`scale=${SIDE}:${SIDE}:flags=area`, 'showinfo');
  const { stdout, stderr } = await ffmpeg(
    ...['-copyts', '-noautorotate', '-i', path, '-map', `0:${stream.index}`, '-vf', filters.join(',')],
    ...['-vsync', 'passthrough', '-f', 'rawvideo', '-'],
  );
  const [num, den] = (stream.avg_frame_rate ?? '25/1').split('/').map(Number) as [number, number];
  const stamps = [...stderr.matchAll(/\bpts_time:\s*(\S+)/g)].map(([, seconds]) => Number(seconds));
  const pictures = stamps
    // Bare streams have no times.
    .map((time, index) => ({ time: Number.isFinite(time) ? time : (index * den) / num, index }))
    .map(({ time, index }) => ({
      time,
      look: turned(stdout.subarray(index * PICTURE_BYTES, (index + 1) * PICTURE_BYTES), matrix),
    }))
    .sort((a, b) => a.time - b.time);
  return { times: pictures.map(({ time }) => time), looks: pictures.map(({ look }) => look) };
}

type Matrix = [number, number, number, number];

/** The signs of a display matrix: where a step to the right, and a step down, lead on the screen. */
function matrixOf({ side_data_list = [] }: Stream): Matrix {
  const text = side_data_list.find(({ displaymatrix }) => displaymatrix)?.displaymatrix;
  const numbers = [...(text ?? '').matchAll(/\s(-?\d+)(?=\s)/g)].map(([, number]) =>
    Math.sign(Number(number)),
  );
  const [a = 1, b = 0, , c = 0, d = 1] = numbers;
  return [a, b, c, d];
}

function turned(look: Uint8Array, [a, b, c, d]: Matrix): Uint8Array {
  if (a === 1 && d === 1) return look;
  const shown = new Uint8Array(PICTURE_BYTES);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const [right, down] = [a * x + c * y, b * x + d * y];
      const [column, row] = [
        right < 0 || a + c < 0 ? right + SIDE - 1 : right,
        b + d < 0 ? down + SIDE - 1 : down,
      ];
      shown[row * SIDE + column] = look[y * SIDE + x]!;
    }
  }
  return shown;
}

/** Null where nothing of it can be decoded: what has no sound does not begin at 0 either. */
async function soundOf(path: string, stream: Stream): Promise<Sound | null> {
  const { stdout, stderr } = await ffmpeg(
    ...['-copyts', '-i', path, '-map', `0:${stream.index}`],
    ...['-af', 'aformat=sample_fmts=flt:channel_layouts=mono,ashowinfo', '-f', 'f32le', '-'],
  );
  const samples = new Float32Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length - (stdout.length % 4)),
  );
  const frames = [...stderr.matchAll(/\bpts_time:\s*(-?[\d.]+).* rate:(\d+) nb_samples:(\d+)/g)].map(
    ([, seconds, rate, count]) => ({ seconds: Number(seconds), rate: Number(rate), count: Number(count) }),
  );
  if (!frames[0]) return null;
  const startSeconds = frames[0].seconds;
  const endSeconds = frames.reduce(
    (end, { seconds, count, rate }) => Math.max(end, seconds + count / rate),
    0,
  );
  const length = Math.max(0, Math.ceil((endSeconds - startSeconds) / LOUDNESS_SECONDS));
  const [energy, counted] = [new Float64Array(length), new Float64Array(length)];
  let position = 0;
  // Each frame where its time stamp says: some recorders leave holes.
  for (const { seconds, rate, count } of frames) {
    for (let index = 0; index < count; index += 1, position += 1) {
      const window = Math.floor((seconds - startSeconds + index / rate) / LOUDNESS_SECONDS);
      if (window < 0 || window >= length) continue;
      energy[window]! += samples[position]! ** 2;
      counted[window]! += 1;
    }
  }
  return {
    startSeconds,
    loudness: energy.map((sum, window) => (counted[window]! > 0 ? Math.sqrt(sum / counted[window]!) : 0)),
  };
}

/** The system's ffmpeg, which goes on where a file is damaged. */
async function ffmpeg(...args: string[]): Promise<{ stdout: Buffer; stderr: string }> {
  const options = { encoding: 'buffer', maxBuffer: MOST_OUTPUT_BYTES } as const;
  const reading = ['-analyzeduration', '120M', '-probesize', '200M'];
  const input = args.indexOf('-i');
  const command = ['-v', 'info', '-nostdin', ...args.slice(0, input), ...reading, ...args.slice(input)];
  return promisify(execFile)('ffmpeg', command, options).then(
    ({ stdout, stderr }) => ({ stdout, stderr: stderr.toString('latin1') }),
    (error: { stdout?: Buffer; stderr?: Buffer }) => {
      if (!error.stdout) throw error;
      return { stdout: error.stdout, stderr: error.stderr?.toString('latin1') ?? '' };
    },
  );
}
