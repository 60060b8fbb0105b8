import type { HealthReport, HealthSource } from '../telemetry/health-server.ts';
import type { WorkerMetrics } from '../telemetry/worker-metrics.ts';
import type { WorkerEventBus } from '../worker/events.ts';
import type { Worker } from '../worker/worker.ts';

/** A poll that is three waits old says that the loop is stuck or the queue is away. */
const STALE_POLLS = 3;

export function healthSource(worker: Worker, metrics: WorkerMetrics, waitSeconds: number): HealthSource {
  const report = (ok: boolean): HealthReport => ({
    ok,
    details: {
      state: worker.state,
      busy: worker.inFlight,
      renewalsHealthy: worker.renewalsHealthy,
      pollAgeMs: worker.pollAgeMs === null ? null : Math.round(worker.pollAgeMs),
    },
  });
  const pollIsFresh = (): boolean => {
    const age = worker.pollAgeMs;
    // With every slot busy no poll is open, and that is as it should be.
    return worker.inFlight > 0 || (age !== null && age < STALE_POLLS * (waitSeconds + 5) * 1000);
  };
  return {
    live: () => report(worker.state !== 'stopped'),
    ready: () => report(worker.state === 'polling' && worker.renewalsHealthy && pollIsFresh()),
    metrics: () => metrics.registry.render(),
  };
}

/** Connects what the worker tells to what is counted. */
export function countEvents(events: WorkerEventBus, metrics: WorkerMetrics): void {
  const started = new Map<string, number>();
  events.on('job:started', ({ messageId, key }) => started.set(`${messageId} ${key}`, performance.now()));
  events.on('job:returned', ({ messageId, key, disposition }) => {
    const id = `${messageId} ${key}`;
    const seconds = (performance.now() - (started.get(id) ?? performance.now())) / 1000;
    started.delete(id);
    const outcome = disposition.kind === 'ack' ? disposition.outcome : disposition.kind;
    metrics.jobEnded(outcome, seconds, 'failure' in disposition ? disposition.failure.code : undefined);
  });
  events.on('lease:renewed', () => metrics.leaseRenewed());
  events.on('lease:lost', () => metrics.leaseLost());
  events.on('message:dead-lettered', ({ code }) => metrics.deadLettered(code));
  events.on('poll:failed', () => metrics.pollFailed());
}
