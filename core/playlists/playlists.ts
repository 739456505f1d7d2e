// HLS playlists (RFC 8216bis) of a plan: complete from the first moment, for a film of which no frame is encoded.

import { formatOf } from '../formats/formats.ts';
import { segmentName } from '../formats/segment-name.ts';
import { valueOf } from '../fraction.ts';
import { peakBound, targetDuration } from '../plan/bandwidth.ts';
import { segmentCount } from '../plan/grid.ts';
import { renditionsOf, trackOf } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { Rendition, VideoRendition } from '../plan/renditions.ts';
import { segmentSeconds } from '../plan/segments.ts';

/** Bit rates of a rendition as they were measured. */
export interface Bitrates {
  peakBps: number;
  averageBps: number;
}

/** Before anything is encoded there is only an upper bound. */
type KnownBitrates = Pick<Bitrates, 'peakBps'> & { averageBps: number | undefined };

/** What goes with every picture: a group of media each. */
const GROUPS = {
  audio: { type: 'AUDIO', attribute: 'AUDIO' },
  text: { type: 'SUBTITLES', attribute: 'SUBTITLES' },
} as const;
type GroupKind = keyof typeof GROUPS;

/**
 * The multivariant playlist. `measured` (by rendition name) replaces the upper bounds.
 * The lowest rung comes first: players begin with the first, and it is the quickest to make. What is for cellular lines
 * comes last.
 */
export function multivariantPlaylist(plan: Plan, measured: Readonly<Record<string, Bitrates>> = {}): string {
  const bitratesOf = (rendition: Rendition): KnownBitrates =>
    measured[rendition.name] ?? { peakBps: peakBound(plan, rendition), averageBps: undefined };
  const rungs = renditionsOf(plan, 'video');
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${playlistVersion(plan.renditions)}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ];
  if (rungs.length === 0) {
    for (const sound of renditionsOf(plan, 'audio')) {
      lines.push(
        streamInf([...bandwidth([bitratesOf(sound)]), ['CODECS', quoted(sound.codecs)]]),
        uri(plan, sound),
      );
    }
    return text(lines);
  }
  const choices = (Object.keys(GROUPS) as GroupKind[]).map((kind) => groupsOf(plan, kind));
  for (const group of choices.flat()) {
    lines.push(...group.members.map((member, index) => mediaTag(plan, group, member, index === 0)));
  }
  for (const { groups, own } of [false, true].flatMap((isCellular) =>
    variantsOf(rungs, choices, isCellular),
  )) {
    const sound = groups.find(({ kind }) => kind === 'audio');
    const codecs = groups.flatMap(({ members }) => members.map((member) => member.codecs));
    for (const rung of own) {
      lines.push(
        streamInf([
          ...bandwidth([bitratesOf(rung), sound ? costliest(sound.members.map(bitratesOf)) : SILENCE]),
          ['CODECS', quoted([...new Set([rung.codecs, ...codecs])].filter(Boolean).join(','))],
          ['RESOLUTION', `${rung.width}x${rung.height}`],
          ['FRAME-RATE', valueOf(plan.grid.frameRate).toFixed(3)],
          ...groups.map(({ kind, id }): Attribute => [GROUPS[kind].attribute, quoted(id)]),
        ]),
        uri(plan, rung),
      );
    }
  }
  return text(lines);
}

interface Group {
  kind: GroupKind;
  id: string;
  isCellular: boolean;
  members: Rendition[];
}

/**
 * A group for each codec, the first of which is named by its kind: a player refuses a variant one of whose codecs it does not
 * know, so nothing goes together that could be refused apart. What is for cellular lines makes groups of its own.
 */
function groupsOf(plan: Plan, kind: GroupKind): Group[] {
  const renditions: Rendition[] = renditionsOf<GroupKind>(plan, kind);
  const codecs = [...new Set(renditions.map(({ codec }) => codec))];
  return [false, true].flatMap((isCellular) =>
    codecs.flatMap((codec, index) => {
      const members = renditions.filter(
        (own) => own.codec === codec && isCellular === Boolean(own.isCellular),
      );
      const id = `${kind}${index === 0 ? '' : `-${codec}`}${isCellular ? '-low' : ''}`;
      return members.length > 0 ? [{ kind, id, isCellular, members }] : [];
    }),
  );
}

/** The rungs, the lowest first, and each way to choose what goes with them. */
function variantsOf(
  rungs: readonly VideoRendition[],
  choices: readonly Group[][],
  isCellular: boolean,
): { groups: Group[]; own: VideoRendition[] }[] {
  const isOfLine = (one: { isCellular?: boolean }) => Boolean(one.isCellular) === isCellular;
  const own = rungs.filter(isOfLine).reverse();
  // Of what has nothing for cellular lines, as text, the usual goes with them.
  const choicesOfLine = choices.map((groups) =>
    groups.some(isOfLine) ? groups.filter(isOfLine) : groups.filter((group) => !group.isCellular),
  );
  return combinationsOf(choicesOfLine).map((groups) => ({ groups, own }));
}

/** One of each list that is not empty, in all ways; those of the first ones first. */
const combinationsOf = <T>(lists: readonly T[][]): T[][] =>
  lists
    .filter((list) => list.length > 0)
    .reduce<T[][]>((found, list) => list.flatMap((item) => found.map((items) => [...items, item])), [[]]);

const costliest = (members: readonly KnownBitrates[]): KnownBitrates =>
  members.reduce((most, member) => (member.peakBps > most.peakBps ? member : most));

const SILENCE: KnownBitrates = { peakBps: 0, averageBps: 0 };

/** A rendition's media playlist: all segments, VOD, ended. */
export function mediaPlaylist(plan: Plan, rendition: Rendition): string {
  const { extension, init } = formatOf(rendition);
  const durations = Array.from({ length: segmentCount(plan.grid) }, (_, index) =>
    segmentSeconds(plan, rendition, index),
  );
  return text([
    '#EXTM3U',
    `#EXT-X-VERSION:${playlistVersion([rendition])}`,
    `#EXT-X-TARGETDURATION:${targetDuration(durations)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(init ? [`#EXT-X-MAP:URI="${init.name}"`] : []),
    ...durations.flatMap((seconds, index) => [
      `#EXTINF:${seconds.toFixed(6)},`,
      segmentName(index, extension),
    ]),
    '#EXT-X-ENDLIST',
  ]);
}

const playlistVersion = (renditions: readonly Rendition[]): number =>
  Math.max(...renditions.map((rendition) => formatOf(rendition).playlistVersion));

type Attribute = [name: string, value: string];

function bandwidth(parts: KnownBitrates[]): Attribute[] {
  const peak = sum(parts.map(({ peakBps }) => peakBps));
  const averages = parts.map(({ averageBps }) => averageBps ?? NaN);
  const average = sum(averages);
  return [
    ['BANDWIDTH', String(Math.ceil(peak))],
    ...(Number.isNaN(average) ? [] : ([['AVERAGE-BANDWIDTH', String(Math.ceil(average))]] as Attribute[])),
  ];
}

function mediaTag(plan: Plan, { kind, id }: Group, rendition: Rendition, isDefault: boolean): string {
  const { language, title } = trackOf(plan, rendition);
  // One that is alone needs no name of its own.
  const name = isDefault ? 'Default' : (title ?? language ?? rendition.name);
  return `#EXT-X-MEDIA:${listed([
    ['TYPE', GROUPS[kind].type],
    ['GROUP-ID', quoted(id)],
    ['NAME', quoted(name)],
    ['DEFAULT', isDefault ? 'YES' : 'NO'],
    ['AUTOSELECT', 'YES'],
    ...(rendition.kind === 'audio' ? [['CHANNELS', quoted(String(rendition.channels))] as Attribute] : []),
    ['URI', quoted(uri(plan, rendition))],
  ])}`;
}

const listed = (attributes: readonly Attribute[]): string =>
  attributes.map(([name, value]) => `${name}=${value}`).join(',');

const streamInf = (attributes: Attribute[]): string => `#EXT-X-STREAM-INF:${listed(attributes)}`;

const uri = ({ rev }: Plan, { name }: Rendition): string => `${rev}/${name}/index.m3u8`;
/** A quoted string holds neither quotation marks nor line breaks (RFC 8216bis, section 4.2). */
const quoted = (value: string): string => `"${value.replaceAll(/["\r\n]/g, ' ')}"`;
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const text = (lines: string[]): string => lines.join('\n') + '\n';
