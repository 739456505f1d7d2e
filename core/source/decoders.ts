// The decoders that a source may reach. ffmpeg 4.1 has 424 for pictures and sound, and a file chooses among them: many are
// of games, of image files, of one maker's devices, and are hardly looked after. Listed are those of what people film,
// record, broadcast, edit and keep (docs/decisions/055). They are the names of decoders, which often are not those of their
// codecs, in ffmpeg 4.1 or later; a build does not mind names that it does not know.

/** Cameras, phones, browsers and calls. */
const TODAY = [
  ...['h264', 'hevc', 'vp8', 'libvpx', 'vp9', 'mpeg4', 'h263', 'h263p', 'h261', 'mjpeg', 'theora'],
  // Not `av1`: it leaves the decoding to a graphics card.
  ...['libaom-av1', 'libdav1d', 'vvc'],
  ...['aac', 'aac_latm', 'mp3', 'mp3float', 'opus', 'vorbis', 'flac', 'alac'],
  ...['amrnb', 'amrwb', 'speex', 'libspeex'],
];

/** Discs and broadcasts, and their recorders. */
const BROADCAST = [
  ...['mpeg1video', 'mpeg2video', 'vc1', 'dirac', 'cavs', 'libdavs2', 'libuavs3d'],
  ...[
    'mp1',
    'mp1float',
    'mp2',
    'mp2float',
    'ac3',
    'eac3',
    'dca',
    'truehd',
    'mlp',
    's302m',
    'pcm_bluray',
    'pcm_dvd',
  ],
];

/** Camcorders and cinema cameras, and what editors and stages work with. */
const EDITED = [
  ...[
    'prores',
    'prores_raw',
    'dnxhd',
    'cfhd',
    'apv',
    'dvvideo',
    'dvaudio',
    'jpeg2000',
    'mjpegb',
    'aic',
    'pixlet',
  ],
  ...['hq_hqa', 'hqx', 'cllc', 'avrn', 'avui', 'media100', 'speedhq', 'vmix', 'hap', 'dxv', 'notchlc'],
];

/** Pixels and samples as they are. */
const UNCOMPRESSED = [
  ...[
    'rawvideo',
    '8bps',
    'v210',
    'v210x',
    'v308',
    'v408',
    'v410',
    'y41p',
    'yuv4',
    'ayuv',
    '012v',
    'r10k',
    'r210',
  ],
  ...['avrp', 'm101', 'targa_y216'],
  ...[
    'pcm_s8',
    'pcm_s16be',
    'pcm_s16le',
    'pcm_s24be',
    'pcm_s24le',
    'pcm_s32be',
    'pcm_s32le',
    'pcm_s64be',
    'pcm_s64le',
  ],
  ...['pcm_u8', 'pcm_u16be', 'pcm_u16le', 'pcm_u24be', 'pcm_u24le', 'pcm_u32be', 'pcm_u32le'],
  ...['pcm_f32be', 'pcm_f32le', 'pcm_f64be', 'pcm_f64le', 'pcm_alaw', 'pcm_mulaw'],
];

/** Captures and archives without loss. FFV1 is also what a mezzanine may hold (`copy-ways.ts`), as are FLAC and samples. */
const LOSSLESS = ['ffv1', 'huffyuv', 'ffvhuff', 'utvideo', 'lagarith', 'wavpack', 'tta', 'wmalossless'];

/** Recorders of screens, games and meetings; animations. */
const SCREENS = [
  ...[
    'camtasia',
    'tscc2',
    'camstudio',
    'fraps',
    'dxtory',
    'fic',
    'zmbv',
    'vmnc',
    'g2m',
    'flashsv',
    'flashsv2',
  ],
  ...['mss1', 'mss2', 'msa1', 'mts2', 'qtrle', 'png', 'gif'],
];

/** The web before H.264, of which archives are full: Video for Windows, QuickTime, RealMedia, DivX, Windows Media, Flash. */
const PAST = [
  ...['cinepak', 'indeo2', 'indeo3', 'indeo4', 'indeo5', 'msrle', 'msvideo1', 'svq1', 'svq3', 'rpza', 'smc'],
  ...['rv10', 'rv20', 'rv30', 'rv40', 'msmpeg4v1', 'msmpeg4v2', 'msmpeg4', 'h263i', 'sp5x', 'amv'],
  ...[
    'wmv1',
    'wmv2',
    'wmv3',
    'wmv3image',
    'vc1image',
    'flv',
    'vp3',
    'vp4',
    'vp5',
    'vp6',
    'vp6a',
    'vp6f',
    'vp7',
  ],
  ...[
    'qdm2',
    'qdmc',
    'mace3',
    'mace6',
    'imc',
    'iac',
    'cook',
    'atrac3',
    'sipr',
    'ralf',
    'real_144',
    'real_288',
  ],
  ...['wmav1', 'wmav2', 'wmapro', 'wmavoice', 'nellymoser', 'adpcm_ima_qt', 'adpcm_ima_wav', 'adpcm_ima_amv'],
  ...['adpcm_ms', 'adpcm_swf', 'adpcm_ct', 'adpcm_yamaha'],
];

/** Telephones, dictation and surveillance. */
const SPEECH = [
  'gsm',
  'gsm_ms',
  'g722',
  'g723_1',
  'g726',
  'g726le',
  'g729',
  'ilbc',
  'evrc',
  'qcelp',
  'truespeech',
];

export const DECODERS: readonly string[] = [
  ...[TODAY, BROADCAST, EDITED, UNCOMPRESSED, LOSSLESS, SCREENS, PAST, SPEECH].flat(),
];

/**
 * Nothing is decoded by these. But ffprobe opens a decoder for each track, and says nothing of the others where it may not:
 * not for a song's cover (some are in formats of video), nor for subtitles. Whoever shows subtitles lists theirs above.
 */
export const COVER_DECODERS: readonly string[] = ['bmp', 'tiff', 'webp', 'libjxl'];
export const SUBTITLE_DECODERS: readonly string[] = [
  ...['ass', 'ssa', 'subrip', 'srt', 'mov_text', 'webvtt', 'ttml', 'text', 'cc_dec', 'libzvbi_teletextdec'],
  ...['dvbsub', 'dvdsub', 'pgssub', 'xsub', 'libaribb24', 'libaribcaption'],
  ...['jacosub', 'microdvd', 'mpl2', 'pjs', 'realtext', 'sami', 'stl', 'subviewer', 'subviewer1', 'vplayer'],
];
