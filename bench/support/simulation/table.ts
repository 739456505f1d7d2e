// How what was simulated is shown.

import { waits, seconds, percent, share } from './scenarios.ts';
import type { NamedScenario, Verdict } from './scenarios.ts';
import { secondsWaited } from './simulation.ts';
import type { Result } from './simulation.ts';

export interface Row {
  scenario: NamedScenario;
  result: Result;
  verdicts: readonly Verdict[];
}

/** Where the table stands in docs/cost.md. */
export const AT_SCALE = /(<!-- bench: scale -->\n)[^]*?(<!-- end -->)/;

export function tableOf(rows: readonly Row[]): string {
  const head = ['', 'ready after: half, 95 %, 99 %', 'lanes used', 'dollars', 'wanted', 'got', 'met'];
  const lines = rows.map(({ scenario, result, verdicts }) => [
    scenario.name,
    [0.5, 0.95, 0.99].map((of) => seconds(waits(result, scenario.kind, of))).join(', '),
    percent(result.lanes.used),
    `$${result.dollars.toFixed(2)}`,
    verdicts.map(({ wanted }) => wanted).join('; '),
    verdicts.map(({ got }) => got).join('; '),
    verdicts.map(({ isMet }) => (isMet ? 'yes' : '**no**')).join('; '),
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}

/** All that is known of one. */
export function factsOf({ scenario, result, verdicts }: Row): string {
  const { lanes, queue, refused, outcomes, seekWaits, seekSeconds, ingestWaits, videos } = result;
  const worst = (values: readonly number[]) =>
    [0.5, 0.95, 0.99, 1].map((of) => seconds(share(values, of))).join(', ');
  const kinds = [...new Set(videos.map(({ kind }) => kind))];
  const lost = videos.flatMap(({ lostBy }) => lostBy ?? []);
  return [
    ...kinds.map((kind) => {
      const of = videos.filter((video) => video.kind === kind);
      const ready = of.filter(({ readyAt }) => readyAt !== undefined).length;
      const after = [0.5, 0.95, 0.99, 1].map((part) => seconds(waits(result, kind, part))).join(', ');
      return `${ready} of ${of.length} ${kind}s ready after ${after} (half, 95 %, 99 %, all)`;
    }),
    `simulated ${seconds(result.seconds)}; longest item ${seconds(result.longestItemSeconds)}`,
    `items: ${[...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ')}; lost: ${[...new Set(lost)].join(', ') || 'none'}`,
    `lanes: ${percent(lanes.used)} used, at most ${lanes.mostAtOnce} at once; idle though there was work ${percent(lanes.idleThoughWork)}, at the longest ${seconds(lanes.longestIdleSeconds)}`,
    `queue: ${queue.reads} reads, ${queue.writes} writes, ${queue.lost} of them lost, at most ${queue.mostLostInARow} in a row, ${queue.givenUp} given up; at most ${queue.mostLists} lists`,
    `refused: ${refused.executions} for want of an execution, ${refused.machines} of a tenant's machine, ${refused.growth} by growth`,
    ...(seekWaits.length > 0
      ? [
          `${seekWaits.length} seeks: refused for ${worst(seekWaits.map(secondsWaited))}; answered after ${worst(seekSeconds)}`,
          `of that, for want of executions ${worst(seekWaits.map(({ executions }) => executions))}, of tenants' machines ${worst(seekWaits.map(({ machines }) => machines))}`,
        ]
      : []),
    ...(ingestWaits.length > 0 ? [`ingest: refused for ${worst(ingestWaits)}`] : []),
    `$${result.dollars.toFixed(3)}`,
    ...verdicts.map(({ wanted, got, isMet }) => `wanted ${wanted}; got ${got}: ${isMet ? 'yes' : 'no'}`),
    ...(scenario.limits?.(result) ?? []),
  ]
    .map((line) => `  ${line}`)
    .join('\n');
}
