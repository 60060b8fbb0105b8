import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { HealthReport, HealthSource } from '../telemetry/health-server.ts';
import type { WorkerMetrics } from '../telemetry/worker-metrics.ts';
import type { WorkerEventBus } from '../worker/events.ts';
import { outcomeOf, type Statistics } from '../worker/statistics.ts';
import type { Worker } from '../worker/worker.ts';

/** A poll that is three waits old says that the loop is stuck. */
const STALE_POLLS = 3;

export interface HealthParts {
  readonly worker: Worker;
  readonly metrics: WorkerMetrics;
  readonly statistics: Statistics;
  readonly waitSeconds: number;
}

export function healthSource({ worker, metrics, statistics, waitSeconds }: HealthParts): HealthSource {
  const away = (): readonly string[] => [...worker.away, ...worker.queuesAway.map((name) => `queue ${name}`)];
  const report = (ok: boolean): HealthReport => ({
    ok,
    details: {
      state: worker.state,
      busy: worker.busy,
      waiting: worker.waiting,
      away: away().join(', '),
      renewalsHealthy: worker.renewalsHealthy,
      pollAgeMs: worker.pollAgeMs === null ? null : Math.round(worker.pollAgeMs),
    },
  });
  const pollIsFresh = (): boolean => {
    const age = worker.pollAgeMs;
    return age !== null && (worker.isFull || age < STALE_POLLS * (waitSeconds + 5) * 1000);
  };
  return {
    live: () => report(worker.state !== 'stopped'),
    ready: () => report(worker.state === 'polling' && worker.renewalsHealthy && away().length === 0 && pollIsFresh()),
    metrics: () => metrics.registry.render(),
    statistics: () => statistics.summary(),
  };
}

/** Connects what the worker tells to what is counted. */
export function countEvents(events: WorkerEventBus, metrics: WorkerMetrics): void {
  events.on('job:settled', ({ disposition, seconds, settled, isAgain }) => {
    metrics.jobEnded(outcomeOf(disposition, settled), seconds);
    const isEcho = settled === 'kept' && isAgain === true;
    if ('failure' in disposition && !isEcho) {
      metrics.failed(disposition.failure, disposition.failure.stage ?? 'unknown');
    }
  });
  events.on('video:analysed', ({ frames, stageSeconds }) => {
    metrics.framesAnalysed(frames);
    for (const [stage, seconds] of Object.entries(stageSeconds)) metrics.stageSpent(stage, seconds);
  });
  events.on('video:degraded', ({ stage, code }) => metrics.degraded(stage, code));
  events.on('message:rejected', ({ failure }) => metrics.failed(failure, 'message'));
  events.on('lease:renewed', () => metrics.leaseRenewed());
  events.on('lease:lost', () => metrics.leaseLost());
  events.on('message:dead-lettered', ({ code }) => metrics.deadLettered(code));
  events.on('message:waiting', ({ why }) => metrics.waited(why));
  events.on('receive:burnt', ({ count, by }) => metrics.receivesBurnt(by, count));
  events.on('poll:failed', () => metrics.pollFailed());
  events.on('circuit:open', ({ dependency }) => metrics.circuit(dependency, true));
  events.on('circuit:closed', ({ dependency }) => metrics.circuit(dependency, false));
}

/** Tells what a stored analysis goes without, once for each kind of it. */
export function tellDegraded(events: WorkerEventBus, { degraded }: VideoAnalysis): void {
  const kinds = new Map(degraded.map(({ stage, code }) => [`${stage} ${code}`, { stage, code }]));
  for (const kind of kinds.values()) events.emit('video:degraded', kind);
}

/** Tells how long the models have run since it was last asked: the chain counts over its life and over all its videos. */
export function stageSecondsOf(chain: Pick<ModelChain, 'timings'>): () => Promise<Record<string, number>> {
  const before = new Map<string, number>();
  return async () => {
    const timings = await chain.timings();
    const spent: Record<string, number> = {};
    for (const [stage, { runMs }] of Object.entries(timings)) {
      spent[stage] = Math.max(0, runMs - (before.get(stage) ?? 0)) / 1_000;
      before.set(stage, runMs);
    }
    return spent;
  };
}
