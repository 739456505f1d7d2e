// What ffmpeg says, while it reads a source, of pictures and sound that its decoders could not make out: they go on from
// the next packet, or cover up what they have not got, and filters hold the picture or fill in silence. Of all that only
// its messages tell. Each counts at the time of the packet that was read last, which its options have it say.

/** With these ffmpeg tells the level of each message, and the times of all packets as they pass. */
const TELLING = ['-v', 'level+info', '-debug_ts'];

export interface DecodingLog {
  /** ffmpeg's, in place of those that say how much it tells. */
  options: readonly string[];
  /**
   * Takes the next of what it says then, lines of which may be incomplete.
   * @returns what it would have said without them
   */
  push(text: string): string;
  faults(): Fault[];
  /** Streams of pictures or sound that were not there when reading began, by when they begin. */
  laterStreams(): LaterStream[];
}

export interface LaterStream {
  kind: 'video' | 'audio';
  /** On the source's clock. */
  seconds: number;
}

/** That something of a stream could not be decoded. */
export interface Fault {
  streamIndex: number;
  /** On the clock of the packets; undefined where none has told its time yet. */
  seconds: number | undefined;
  /** Which packet of its stream had been read last: the first, the last, or another. Decoders are a few behind. */
  place: 'first' | 'last' | 'within';
}

/** No line is longer; what is, is no message. */
const MOST_CHARACTERS = 4096;

interface Stream {
  streamIndex: number;
  /** The name of its decoder. */
  decoder: string | undefined;
  packets: number;
  /** Of the packet that was read last. */
  seconds: number | undefined;
  /** What is said since then: messages of any kind, and those that mean a picture or a frame of sound each. */
  messages: number;
  failures: number;
  /** One for each tenth of a second, however much is said. */
  faults: Map<string, Fault>;
}

/** @param streamIndices the streams of the first input that are decoded */
export function decodingLog(streamIndices: readonly number[]): DecodingLog {
  const streams = streamIndices.map((streamIndex): Stream => {
    const nothing = { decoder: undefined, packets: 0, seconds: undefined, messages: 0, failures: 0 };
    return { streamIndex, ...nothing, faults: new Map() };
  });
  let demuxer: string | undefined;
  let isUnderWay = false;
  let lastFaulty: Stream[] = [];
  let rest = '';
  const later: LaterStream[] = [];

  function take(line: string): string {
    const packet = PACKET.exec(line)?.groups;
    if (packet) {
      const stream = streams.find(({ streamIndex }) => streamIndex === Number(packet['stream']));
      if (stream) passed(stream, Number(packet['pts']), Number(packet['dts']));
    }
    if (packet || OTHER_TIMES.test(line)) return '';
    listen(line);
    const said = line.replace(LEVEL, '');
    if (said === UNDER_WAY) isUnderWay = true;
    demuxer ??= INPUT.exec(said)?.[1];
    const [, kind, seconds] = LATER.exec(said) ?? [];
    if (kind) later.push({ kind: kind as LaterStream['kind'], seconds: Number(seconds) });
    const [, index, codec, decoder] = MAPPING.exec(said) ?? [];
    const mapped = streams.find(({ streamIndex }) => streamIndex === Number(index));
    if (mapped) mapped.decoder = decoder === 'native' ? codec : (decoder ?? codec);
    return `${said}\n`;
  }

  function listen(line: string): void {
    if (!REPEATED.test(line)) lastFaulty = faultyStreams(line);
    const isFailure = REPEATED.test(line) || FAILURE.test(line) || CONCEALMENT.test(line);
    // Before that it looks at the streams, and reads what comes again later.
    if (!isUnderWay) return;
    for (const stream of lastFaulty) {
      stream.messages += 1;
      if (isFailure) stream.failures += 1;
    }
  }

  function faultyStreams(line: string): Stream[] {
    const index = FAILURE.exec(line)?.[1];
    if (index !== undefined) return streams.filter(({ streamIndex }) => streamIndex === Number(index));
    const [, speaker, level, text = ''] = MESSAGE.exec(line) ?? [];
    const isMeant = CONCEALMENT.test(line) || level === 'error' || level === 'fatal';
    if (!isMeant || HARMLESS.test(text)) return [];
    return speaker === demuxer ? streams : streams.filter(({ decoder }) => decoder === speaker);
  }

  return {
    options: TELLING,
    push(text) {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-MOST_CHARACTERS);
      return lines.map(take).join('');
    },
    faults: () =>
      streams.flatMap((stream) => {
        // A decoder with many threads is as many pictures behind: what it says of several is not of the last one.
        settle(stream, stream.failures <= 1 ? 'last' : 'within');
        return [...stream.faults.values()];
      }),
    laterStreams: () => later,
  };
}

function passed(stream: Stream, pts: number, dts: number): void {
  settle(stream, stream.packets <= 1 ? 'first' : 'within');
  stream.packets += 1;
  const seconds = Number.isFinite(pts) ? pts : dts;
  if (Number.isFinite(seconds)) stream.seconds = seconds;
}

/** Notes what was said since the last packet. */
function settle(stream: Stream, place: Fault['place']): void {
  const { streamIndex, seconds, messages } = stream;
  const tenth = seconds === undefined ? 'unknown' : Math.floor(seconds * 10);
  if (messages > 0) stream.faults.set(`${place} ${tenth}`, { streamIndex, seconds, place });
  [stream.messages, stream.failures] = [0, 0];
}

const LEVEL = /\[(?:info|warning|error|fatal|panic)\] /;
const PACKET =
  /demuxer\+ffmpeg -> ist_index:(?:\d+:)?(?<stream>\d+) .*\bpkt_pts_time:(?<pts>\S+) .*\bpkt_dts_time:(?<dts>\S+)/;
const OTHER_TIMES = /^(?:\[info\] )?(?:demuxer|decoder|filter|encoder|muxer)(?:\+ffmpeg)? (?:->|<-) /;
const INPUT = /^Input #0, (\S+), from /;
/** Of what follows, it reads packet by packet. */
const UNDER_WAY = 'Stream mapping:';
/** `Stream #0:1 (aac) -> aresample`, or, without a graph, `Stream #0:1 -> #0:1 (aac (native) -> flac (native))`. */
const MAPPING = /^ {2}Stream #0:(\d+) (?:-> #\d+:\d+ )?\(([\w-]+)(?: \(([\w-]+)\))?/;
/** Said once of each. */
const LATER = /^\[\S+ @ 0x[0-9a-f]+\] New (audio|video) stream 0:\d+ at pos:\d+ and DTS:([\d.]+)s/;
const FAILURE = /^\[error\] Error while decoding stream #0:(\d+): /;
const REPEATED = /^ {4}Last message repeated \d+ times/;
const MESSAGE = /^\[(\S+) @ 0x[0-9a-f]+\] \[(\w+)\] (.*)/;
/** What decoders put in the place of parts of a picture. */
const CONCEALMENT = /\] \[info\] concealing \d+ DC, /;
/**
 * What a decoder finds odd and shows all the same, as H.264 of some encoders that plays everywhere, and what cameras add to
 * their pictures.
 */
const HARMLESS =
  /^(mmco: unref short failure|co located POCs unavailable|number of reference frames .* exceeds max|SEI type \d+ size \d+ truncated|unable to decode APP fields|Overread (VUI|SPS|PPS)|Ignoring unsupported|illegal aspect ratio)/i;
