// Are the playlists of two checkouts the same text, but for the revision and for what was measured?

import { fact, finding, firstDifference } from './findings.ts';
import type { Finding } from './findings.ts';
import { nameOf } from './takes.ts';
import type { Take, Way } from './takes.ts';

// Bit rates that differ by more than this are reported, though not wrong: they change with the container's overhead.
const REPORTED_SHARE = 0.03;

export function compareTexts(takes: readonly Take[]): Finding[] {
  const pairOf = (way: Way) =>
    ['this', 'other'].map((name) => takes.find(isTake(name, way))!) as [Take, Take];
  const [ours, theirs] = pairOf('on demand');
  const [measured, measuredThere] = pairOf('prewarmed');
  return [
    finding('master.m3u8 with its upper bounds', differences(ours.master, theirs.master)),
    finding(
      'master.m3u8 with measured bit rates, but for those',
      differences(withoutRates(measured.master), withoutRates(measuredThere.master)),
    ),
    ...rateFacts(measured.master, measuredThere.master),
    finding(
      `media playlists (${measured.renditions.size})`,
      [measured, ours, theirs].flatMap((take) => playlistDifferences(take, measuredThere)),
    ),
    finding(
      'storyboard.vtt',
      [measured, ours, theirs].flatMap((take) => differences(take.storyboard, measuredThere.storyboard)),
      measured.storyboard ? '' : 'none',
    ),
    fact(`revision: ${revisionOf(measured) === revisionOf(measuredThere) ? 'the same' : 'another'}`),
  ];
}

const isTake =
  (checkout: string, way: Way) =>
  (take: Take): boolean =>
    take.checkout === checkout && take.way === way;

function playlistDifferences(take: Take, reference: Take): string[] {
  const names = [...take.renditions.keys()].join(', ');
  const expected = [...reference.renditions.keys()].join(', ');
  if (names !== expected) return [`${nameOf(take)} has ${names}, not ${expected}`];
  return [...take.renditions].flatMap(([name, { playlist }]) =>
    differences(playlist, reference.renditions.get(name)!.playlist).map(
      (difference) => `${nameOf(take)}, ${name}: ${difference}`,
    ),
  );
}

function differences(a: string, b: string): string[] {
  const difference = firstDifference(withoutRevision(a), withoutRevision(b));
  return difference ? [difference] : [];
}

const REVISION = /(?<![0-9a-z])[0-9a-f]{10}(?=\/)/g;
const withoutRevision = (text: string): string => text.replace(REVISION, '{rev}');
const revisionOf = ({ master }: Take): string | undefined => master.match(REVISION)?.[0];

const RATE = /((?:AVERAGE-)?BANDWIDTH)=(\d+)/g;
const withoutRates = (text: string): string => text.replace(RATE, '$1={measured}');

/** Each bit rate that differs by more than a little. */
function rateFacts(a: string, b: string): Finding[] {
  const [left, right] = [a, b].map((text) => [...text.matchAll(RATE)]) as [
    RegExpExecArray[],
    RegExpExecArray[],
  ];
  return left.flatMap(([, attribute, rate], index) => {
    const other = Number(right[index]?.[2]);
    const share = Number(rate) / other - 1;
    return Math.abs(share) > REPORTED_SHARE
      ? [fact(`${attribute} ${rate}, in the other ${other} (${(share * 100).toFixed(1)} %)`)]
      : [];
  });
}
