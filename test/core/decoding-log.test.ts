// What ffmpeg says of damage, in the words of 4.1 and 5.1, is heard, and told by segments.

import { damagedSegments } from '../../core/encoding/damage.ts';
import { planFor } from '../../core/plan/plan-for.ts';
import { decodingLog } from '../../core/source/decoding-log.ts';
import type { Fault } from '../../core/source/decoding-log.ts';
import { SOURCE, probeOf } from '../support/probes.ts';

const packet = (stream: number, seconds: number | 'NOPTS', dts: number | 'NOPTS' = seconds): string =>
  `[info] demuxer+ffmpeg -> ist_index:${stream} type:video pkt_pts:1 pkt_pts_time:${seconds} pkt_dts:1 pkt_dts_time:${dts} off:0 off_time:0`;
const HEAD = [
  "[info] Input #0, matroska,webm, from 'http://127.0.0.1:1/a':",
  '[info] Stream mapping:',
  '[info]   Stream #0:0 (h264) -> setpts',
  '[info]   Stream #0:1 (mp3float) -> asetpts',
  '[info]   format -> Stream #0:0 (libx264)',
];

function heard(...lines: string[]): [string, ReturnType<ReturnType<typeof decodingLog>['faults']>] {
  const log = decodingLog([0, 1]);
  const said = [...HEAD, ...lines, '']
    .join('\n')
    .match(/.{1,50}/gs)!
    .map((piece) => log.push(piece));
  return [said.join(''), log.faults()];
}

const faultsIn = (...lines: string[]) => heard(...lines)[1];

test('damage is told of the stream whose decoder speaks, at the time of the packet that was read last', () => {
  expect(
    faultsIn(
      packet(0, 1),
      packet(1, 1.5),
      packet(0, 'NOPTS', 2),
      '[h264 @ 0x1a] [error] error while decoding MB 1 0',
      '[h264 @ 0x1a] [info] concealing 12 DC, 12 AC, 12 MV errors in I frame',
      packet(0, 3),
      packet(1, 2.5),
      '[error] Error while decoding stream #0:1: Invalid data found when processing input',
      packet(1, 3.5),
    ),
  ).toEqual([
    { streamIndex: 0, seconds: 2, place: 'within' },
    { streamIndex: 1, seconds: 2.5, place: 'within' },
  ]);
});

test('what the demuxer cannot read may be of every stream', () => {
  const faults = faultsIn(
    ...[packet(0, 1), packet(1, 1), packet(0, 2), packet(1, 2)],
    ...['[matroska,webm @ 0x1a] [error] Invalid EBML number size tag', packet(0, 9), packet(1, 9)],
  );
  expect(faults.map(({ streamIndex }) => streamIndex)).toEqual([0, 1]);
});

test('what the demuxer says before the first packet counts once reading is under way, and before that it does not', () => {
  const said = '[mov,mp4,m4a,3gp,3g2,mj2 @ 0x1a] [error] stream 1, offset 0x200002c: partial file';
  const log = decodingLog([0, 1]);
  const input = HEAD[0]!.replace('matroska,webm', 'mov,mp4,m4a,3gp,3g2,mj2');
  log.push([said, input, said, ''].join('\n'));
  expect(log.faults()).toEqual([]);
  log.push([...HEAD.slice(1), said, packet(0, 0), ''].join('\n'));
  expect(log.faults()).toEqual([
    { streamIndex: 0, seconds: undefined, place: 'first' },
    { streamIndex: 1, seconds: undefined, place: 'last' },
  ]);
});

test.each([
  ['is odd and shown all the same', '[h264 @ 0x1a] [error] mmco: unref short failure'],
  ['a camera writes beside its pictures', '[h264 @ 0x1a] [error] SEI type 5 size 2208 truncated at 184'],
  ['an encoder says', '[libx264 @ 0x1a] [error] broken ffmpeg default settings detected'],
  ['is no error', '[h264 @ 0x1a] [warning] Increasing reorder buffer to 1'],
])('what %s is no damage', (_, line) => {
  expect(faultsIn(packet(0, 1), packet(0, 2), line, packet(0, 3))).toEqual([]);
});

test('the first and the last packet are told apart, unless a decoder is behind by several', () => {
  const failure = '[error] Error while decoding stream #0:0: Invalid data found when processing input';
  const placesOf = (...after: string[]) =>
    faultsIn(packet(0, 1), failure, packet(0, 2), ...after).map(({ place }) => place);
  expect(placesOf(failure)).toEqual(['first', 'last']);
  expect(placesOf(failure, '    Last message repeated 2 times')).toEqual(['first', 'within']);
});

test('a film that is damaged from end to end takes no more memory than one fault for each tenth of a second', () => {
  const error = '[h264 @ 0x1a] [error] error while decoding MB 1 0';
  const lines = Array.from({ length: 1000 }, (_, index) => [
    packet(0, 1 + index / 1000),
    error,
    error,
  ]).flat();
  expect(faultsIn(packet(0, 1), ...lines, packet(0, 9)).length).toBeLessThanOrEqual(11);
});

test('what is quoted in errors is what ffmpeg says without its levels and times', () => {
  const [said] = heard(
    packet(0, 1),
    '[info] encoder <- type:audio frame_pts:64244 frame_pts_time:1.45678 time_base:1/44100',
    '[error] Conversion failed!',
  );
  const head = HEAD.map((line) => line.replace('[info] ', ''));
  expect(said).toBe([...head, 'Conversion failed!', ''].join('\n'));
});

test('a track that nobody knew of is told, with when it begins', () => {
  const log = decodingLog([]);
  log.push('[flv @ 0x1a] [warning] New audio stream 0:1 at pos:38342 and DTS:12.046s\n');
  log.push('[flv @ 0x1a] [warning] New data stream 0:2 at pos:38342 and DTS:13s\n');
  expect(log.laterStreams()).toEqual([{ kind: 'audio', seconds: 12.046 }]);
});

test('the decoders of a copy are known as well', () => {
  const log = decodingLog([0, 1]);
  const lines = [
    '[info] Stream mapping:',
    '[info]   Stream #0:0 -> #0:0 (h264 (native) -> ffv1 (native))',
    '[info]   Stream #0:1 -> #0:1 (mp3 (mp3float) -> flac (native))',
    ...[packet(0, 1), packet(1, 1), packet(0, 2), packet(1, 2)],
    ...['[mp3float @ 0x1] [error] invalid new backstep 511', '[h264 @ 0x1] [error] top block unavailable'],
    ...[packet(0, 3), packet(1, 3), ''],
  ];
  log.push(lines.join('\n'));
  expect(log.faults().map(({ streamIndex }) => streamIndex)).toEqual([0, 1]);
});

describe('the segments of a fault', () => {
  const settings = { maxDurationSeconds: 1e4, prewarm: 'all' } as const;
  const plan = planFor(
    probeOf({ video: { durationSeconds: 40 }, audio: { durationSeconds: 40 } }),
    SOURCE,
    settings,
  );
  const names = plan.renditions.map(({ name }) => name);
  const [video, audio] = plan.tracks;
  const damagedIn = (from: number, to: number, ...faults: Partial<Fault>[]) => {
    const job = { plan, renditions: names, from, to, sourceUrl: '', directory: '' };
    const whole = faults.map((fault): Fault => ({ streamIndex: 0, seconds: 0, place: 'within', ...fault }));
    return [...damagedSegments(job, whole)].map(([track, segments]) => [track, [...segments]]);
  };

  test('are those of its time, and of its track', () => {
    expect(damagedIn(0, 8, { seconds: 4.5 }, { seconds: 4.6 }, { streamIndex: 1, seconds: 8.5 })).toEqual([
      [video!.id, [2]],
      [audio!.id, [4]],
    ]);
  });

  test('are none where it lies before the run, and the last one where a decoder is behind', () => {
    expect(damagedIn(2, 4, { seconds: 3.9 }, { seconds: 9.1 })).toEqual([]);
    expect(damagedIn(2, 4, { seconds: 8.5 })).toEqual([[video!.id, [3]]]);
  });

  test('are none where a recording ends with half a packet', () => {
    expect(damagedIn(16, 20, { seconds: 39.9, place: 'last' })).toEqual([]);
    expect(damagedIn(14, 18, { seconds: 35.9, place: 'last' })).toEqual([[video!.id, [17]]]);
  });

  test('are the first where nothing has told a time', () => {
    expect(damagedIn(0, 8, { seconds: undefined })).toEqual([[video!.id, [0]]]);
  });
});
