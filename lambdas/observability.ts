// What the pipeline observes, as structured log lines and CloudWatch metrics (embedded in log lines as well).

import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Observation } from '../pipeline/observe.ts';

// Service name, namespace and level come from the POWERTOOLS_… variables.
const logger = new Logger();
const metrics = new Metrics();

/** The video's id in each line is what ties its whole life together, over all functions. */
export function observe({ event, ...facts }: Observation): void {
  logger.info(event, facts);
  record({ event, ...facts } as Observation);
  metrics.publishStoredMetrics();
}

function record(observation: Observation): void {
  const count = (name: string) => metrics.addMetric(name, MetricUnit.Count, 1);
  const seconds = (name: string, value: number) => metrics.addMetric(name, MetricUnit.Seconds, value);
  switch (observation.event) {
    case 'playable':
      count('VideosPlayable');
      seconds('TimeToPlayable', observation.secondsSinceUpload);
      break;
    case 'refused':
      metrics.addDimension('code', observation.code);
      count('SourcesRefused');
      break;
    case 'derived':
      metrics.addDimension('kind', observation.kind);
      seconds('DeriveTime', observation.seconds);
      break;
    case 'prewarmed': {
      const gigabytes = Number(process.env['SANDBOX_MEMORY_MB'] ?? 1024) / 1024;
      const { videoSeconds } = observation;
      metrics.addMetric(
        'VideoSecondsPerGBSecond',
        MetricUnit.NoUnit,
        videoSeconds / (observation.seconds * gigabytes),
      );
      break;
    }
    case 'rescued':
      count('SegmentsRescued');
      break;
    case 'queued':
      metrics.addMetric('QueueLength', MetricUnit.Count, observation.lists);
      seconds('QueueAge', observation.secondsWaited);
      seconds('QueueStandstill', observation.secondsStill);
      break;
    case 'ready':
      count('VideosReady');
      seconds('TimeToReady', observation.secondsSinceUpload);
      break;
    case 'delayed':
      count('VideosDelayed'); // the log has the code
      break;
    case 'failed':
      count('VideosFailed');
      break;
    case 'notSucceeded':
      count('RevisionsFailed');
      break;
  }
}
