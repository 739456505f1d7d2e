// The media type of a file as far as anybody knows it. Browsers know none for many containers, and say so by an empty
// text.

export const UNKNOWN_TYPE = 'application/octet-stream';

/** What the ending of a file's name says of its type. */
const TYPES_BY_ENDING: Record<string, string> = {
  ...{ mp4: 'video/mp4', m4v: 'video/mp4', mov: 'video/quicktime', qt: 'video/quicktime' },
  ...{ mkv: 'video/x-matroska', webm: 'video/webm', avi: 'video/x-msvideo', flv: 'video/x-flv' },
  ...{ mts: 'video/mp2t', m2ts: 'video/mp2t', m2t: 'video/mp2t', ts: 'video/mp2t', trp: 'video/mp2t' },
  ...{ mpg: 'video/mpeg', mpeg: 'video/mpeg', m2v: 'video/mpeg', vob: 'video/mpeg', mod: 'video/mpeg' },
  ...{ wmv: 'video/x-ms-wmv', asf: 'video/x-ms-asf', ogv: 'video/ogg', mxf: 'application/mxf' },
  ...{ '3gp': 'video/3gpp', '3g2': 'video/3gpp2', dv: 'video/x-dv', rm: 'video/x-realvideo' },
  ...{ rmvb: 'video/x-realvideo', divx: 'video/x-msvideo', nut: 'video/x-nut', ivf: 'video/x-ivf' },
  ...{ h264: 'video/h264', '264': 'video/h264', hevc: 'video/h265', h265: 'video/h265', '265': 'video/h265' },
  ...{ mjpeg: 'video/x-motion-jpeg', mjpg: 'video/x-motion-jpeg', vc1: 'video/vc1', gif: 'image/gif' },
  ...{ mp3: 'audio/mpeg', m4a: 'audio/mp4', aac: 'audio/aac', wav: 'audio/wav', w64: 'audio/wav' },
  ...{ flac: 'audio/flac', ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg', mka: 'audio/x-matroska' },
  ...{ wma: 'audio/x-ms-wma', ac3: 'audio/ac3', eac3: 'audio/eac3', amr: 'audio/amr', caf: 'audio/x-caf' },
  ...{ aif: 'audio/aiff', aiff: 'audio/aiff', m4b: 'audio/mp4' },
};

export const typeByName = (filename: string | undefined): string | undefined => {
  const [, ending] = /\.([^.]+)$/.exec(filename ?? '') ?? [];
  return ending && Object.hasOwn(TYPES_BY_ENDING, ending.toLowerCase())
    ? TYPES_BY_ENDING[ending.toLowerCase()]
    : undefined;
};
