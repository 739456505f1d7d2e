// The kinds of files that docs/sources.md promises, each with the encoders that make a small one.

export interface Kind {
  /** As the table names them. */
  container: string;
  video: string;
  audio: string;
  extension: string;
  /** Whether segments are cut from a copy with an index. */
  isCopied: boolean;
  encoders: string[];
}

const H264 = '-c:v libx264 -preset ultrafast -g 120 -bf 2';
const HEVC = '-c:v libx265 -preset ultrafast -x265-params keyint=100:log-level=none';
const MPEG4 = '-c:v mpeg4 -bf 2 -g 100 -q:v 3';
const MPEG2 = '-c:v mpeg2video -bf 2 -g 50 -q:v 3';
const VP8 = '-c:v libvpx -deadline realtime -cpu-used 8 -g 100 -b:v 1M';
const VP9 = '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 100 -b:v 1M';
const AMR = '-c:a libopencore_amrnb -ar 8000 -ac 1';

/** The container, how it is named, what is in it, and whether it is copied first. */
const ROWS: [string, string, string, string, boolean, string][] = [
  ['MP4, index last', 'mp4', 'H.264', 'AAC', false, `${H264} -c:a aac`],
  ['MP4, index first', 'mp4', 'H.264', 'AAC', false, `${H264} -c:a aac -movflags +faststart`],
  ['MP4, in fragments', 'mp4', 'H.264', 'AAC', true, `${H264} -c:a aac -movflags +frag_keyframe+empty_moov`],
  ['MP4, index last', 'mp4', 'HEVC', 'AC-3', false, `${HEVC} -c:a ac3`],
  ['MP4, index last', 'mp4', 'MPEG-4', 'MP3', false, `${MPEG4} -c:a libmp3lame`],
  ['QuickTime', 'mov', 'ProRes', 'PCM', false, '-c:v prores_ks -c:a pcm_s16le'],
  ['QuickTime', 'mov', 'MJPEG', 'ALAC', false, '-c:v mjpeg -q:v 3 -pix_fmt yuvj420p -c:a alac'],
  ['3GP', '3gp', 'H.264', 'AMR', false, `${H264} ${AMR}`],
  ['Matroska', 'mkv', 'H.264', 'FLAC', false, `${H264} -c:a flac`],
  ['Matroska', 'mkv', 'MPEG-2', 'E-AC-3', false, `${MPEG2} -c:a eac3`],
  ['WebM', 'webm', 'VP8', 'Vorbis', false, `${VP8} -c:a libvorbis`],
  ['WebM', 'webm', 'VP9', 'Opus', false, `${VP9} -c:a libopus`],
  ['WebM, as browsers record it', 'webm', 'VP8', 'Opus', true, `${VP8} -c:a libopus -live 1`],
  ['MPEG-TS', 'ts', 'H.264', 'AAC', true, `${H264} -c:a aac`],
  ['MPEG-TS', 'ts', 'MPEG-2', 'MP2', true, `${MPEG2} -c:a mp2`],
  ['MPEG-PS', 'mpg', 'MPEG-2', 'MP2', true, `${MPEG2} -c:a mp2 -f vob`],
  ['AVI', 'avi', 'MPEG-4', 'MP3', true, `${MPEG4} -c:a libmp3lame`],
  ['AVI', 'avi', 'MJPEG', 'PCM', true, '-c:v mjpeg -q:v 3 -pix_fmt yuvj422p -c:a pcm_s16le'],
  ['Flash Video', 'flv', 'H.264', 'AAC', true, `${H264} -c:a aac`],
  ['Flash Video', 'flv', 'Sorenson', 'MP3', true, '-c:v flv -q:v 3 -g 100 -c:a libmp3lame -ar 44100'],
  ['Windows Media', 'wmv', 'WMV 2', 'WMA 2', true, '-c:v wmv2 -q:v 3 -g 100 -c:a wmav2'],
  ['Ogg', 'ogv', 'Theora', 'Vorbis', true, '-c:v libtheora -q:v 8 -g 64 -c:a libvorbis'],
  ['MXF', 'mxf', 'MPEG-2', 'PCM', true, '-c:v mpeg2video -bf 2 -g 12 -q:v 3 -pix_fmt yuv422p -c:a pcm_s16le'],
];

export const KINDS: Kind[] = ROWS.map(([container, extension, video, audio, isCopied, encoders]) => ({
  ...{ container, extension, video, audio, isCopied },
  encoders: encoders.split(' '),
}));
