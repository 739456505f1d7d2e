// Tracks of a real source, and the formats that their renditions are stored in: a stored segment can be opened again.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactKey, isListed, isWholeArtifact, parseArtifactKey } from '../../core/artifacts/artifacts.ts';
import { lengthOf } from '../../core/formats/format.ts';
import { formatOf } from '../../core/formats/formats.ts';
import { unpackedAudio } from '../../core/formats/timestamp-tag.ts';
import { segmentPlace } from '../../core/formats/transport-stream/segment-place.ts';
import { packSegment } from '../../core/formats/transport-stream/packed-segment.ts';
import { framesOfSegment } from '../../core/plan/grid.ts';
import { originSeconds as originSecondsOf, renditionsOf, trackOf } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { segmentsOf, unitsOf } from '../../core/plan/segments.ts';
import { multivariantPlaylist } from '../../core/playlists/playlists.ts';
import { ffmpeg, temporaryDirectory } from '../support/media.ts';
import { encodeInPieces } from '../support/stream.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let plan: Plan;
let segments: Map<string, Uint8Array>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'film.mkv');
  const subtitles = join(directory.path, 'words.srt');
  await writeFile(subtitles, '1\n00:00:01,000 --> 00:00:02,500\nBonjour.\n');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30000/1001:d=9'],
    ...['-f', 'lavfi', '-i', 'sine=440:r=44100:d=9', '-f', 'lavfi', '-i', 'sine=880:r=48000:d=8'],
    ...['-i', subtitles, '-map', '0', '-map', '1', '-map', '2', '-map', '3'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-c:s', 'srt'],
    ...[
      '-metadata:s:a:0',
      'language=deu',
      '-metadata:s:a:1',
      'language=fra',
      '-metadata:s:a:1',
      'title=Salle',
    ],
    ...['-metadata:s:s:0', 'language=fra', '-disposition:s:0', 'forced', path],
  );
  ({ plan, segments } = await encodeInPieces(path, directory.path));
});
afterAll(() => directory.remove());

test('all tracks of a source are planned, each as the source describes it', () => {
  // Matroska takes every track for a default one that does not say otherwise.
  const described = plan.tracks.map(({ id, kind, streamIndex, language, title, isDefault, isForced }) => [
    ...[id, kind, streamIndex, language, title],
    ...[isDefault, isForced],
  ]);
  expect(described).toEqual([
    ['video-0', 'video', 0, null, null, true, false],
    ['audio-0', 'audio', 1, 'deu', null, true, false],
    ['audio-1', 'audio', 2, 'fra', 'Salle', true, false],
    ['text-0', 'text', 3, 'fra', null, true, true],
  ]);
  // By its own clock: Matroska moved the picture 23 ms down the line, to make room for the encoder's delay.
  const originSeconds = plan.tracks.map((track) =>
    track.kind === 'audio' ? track.originSample / track.sourceRate : originSecondsOf(plan),
  );
  for (const seconds of originSeconds) expect(seconds).toBeCloseTo(originSeconds[0]!, 4);
  expect(plan.tracks.map((track) => track.kind === 'audio' && track.sourceRate)).toEqual([
    ...[false, 44_100, 48_000, false],
  ]);
});

test('one track of each kind is published, and nothing else is listed', () => {
  expect(plan.renditions.map(({ kind, track }) => `${kind} of ${track}`)).toEqual([
    'video of video-0',
    'video of video-0',
    'audio of audio-0',
    'audio of audio-0',
  ]);
  expect(multivariantPlaylist(plan).match(/TYPE=/g)).toHaveLength(2);
  for (const name of ['audio-1', 'text-0']) {
    expect(isListed(plan, { kind: 'playlist', rev: plan.rev, rendition: name })).toBe(false);
  }
});

test('a rendition says of which of its plan’s tracks it is', () => {
  const [sound] = renditionsOf(plan, 'audio');
  expect(trackOf(plan, sound!)).toBe(plan.tracks[1]);
  expect(() => trackOf({ tracks: [] }, sound!)).toThrow(
    'audio-0 is of a track that is not in the plan: audio-0',
  );
});

const each = () =>
  plan.renditions.flatMap((rendition) =>
    [0, 1, 2].map((index) => ({ rendition, index, bytes: segments.get(`${rendition.name}/${index}`)! })),
  );

test('a stored segment holds the units that the plan says, and is known to be whole', () => {
  for (const { rendition, index, bytes } of each()) {
    const format = formatOf(rendition);
    const count = lengthOf(unitsOf(plan, rendition, index));
    expect(format.open(bytes)).toHaveLength(count);
    expect(format.count(bytes)).toBe(count);
    const [artifact] = segmentsOf(plan, [rendition.name], { from: index, to: index + 1 });
    expect(parseArtifactKey(artifactKey(ID, artifact!))).toEqual({ id: ID, artifact });
    expect(isWholeArtifact(plan, artifact!, bytes)).toBe(true);
    expect(isWholeArtifact(plan, artifact!, bytes.subarray(0, bytes.length / 2))).toBe(false);
  }
});

const ID = `zd3011k71${'0'.repeat(25)}`;

test('the pictures of an opened segment are where the grid has them, and pack into the very same bytes', () => {
  const { num, den } = plan.grid.frameRate;
  const { packing } = plan.recipe.transportStream;
  for (const { rendition, index, bytes } of each().filter((own) => own.rendition.kind === 'video')) {
    const units = formatOf(rendition).open(bytes);
    const { from } = framesOfSegment(plan.grid, index);
    const shown = units.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
    shown.forEach((ticks, at) => {
      const expected = 900_000 + ((from + at) * den * 90_000) / num;
      expect(Math.abs(ticks - expected)).toBeLessThanOrEqual(1);
    });
    expect(units[0]!.isKeyframe).toBe(true);
    if (packing.kind !== 'continuous') throw new Error('the present recipe packs anew');
    const again = packSegment(units, segmentPlace(plan, index), packing);
    expect(Buffer.compare(again, bytes)).toBe(0);
  }
});

test('the sound of an opened segment follows frame by frame, and is what was stored', () => {
  const [sound] = renditionsOf(plan, 'audio');
  let end: number | undefined;
  for (const { rendition, index, bytes } of each().filter((own) => own.rendition === sound)) {
    const units = formatOf(rendition).open(bytes);
    const { from } = unitsOf(plan, rendition, index);
    units.forEach(({ ptsTicks, dtsTicks }, at) => {
      const expected = 900_000 + ((from + at) * 1024 * 90_000) / 44_100;
      expect(Math.abs(ptsTicks - expected)).toBeLessThanOrEqual(1);
      expect(dtsTicks).toBe(ptsTicks);
    });
    if (end !== undefined) expect(Math.abs(units[0]!.ptsTicks - end)).toBeLessThanOrEqual(1);
    end = units.at(-1)!.ptsTicks + (1024 * 90_000) / 44_100;
    expect(Buffer.concat(units.map((unit) => unit.bytes)).equals(unpackedAudio(bytes))).toBe(true);
  }
});

test('what is no segment of a format cannot be opened', () => {
  const [rung, sound] = [renditionsOf(plan, 'video')[0]!, renditionsOf(plan, 'audio')[0]!];
  const [picture, tone] = [segments.get(`${rung.name}/0`)!, segments.get(`${sound.name}/0`)!];
  expect(() => formatOf(sound).open(picture)).toThrow('does not begin with its time stamp');
  expect(() => formatOf(sound).open(tone.subarray(0, -1))).toThrow('ADTS');
  expect(() => formatOf(rung).open(picture.subarray(0, -1))).toThrow('MPEG-TS');
});
