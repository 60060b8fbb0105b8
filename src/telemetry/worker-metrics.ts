import { monitorEventLoopDelay } from 'node:perf_hooks';

import { MetricsRegistry } from './metrics.ts';

export interface WorkerMetricsSources {
  readonly slots: number;
  /** Whether decoders start in a sandbox. */
  readonly isSandboxed?: boolean;
  /** Videos in work now. */
  busySlots(): number;
  /** Messages that wait under their leases, without a slot. */
  waiting(): number;
  /** Leases held now. */
  leases(): number;
  /** Milliseconds since a poll was last answered; null before the first. */
  pollAgeMs(): number | null;
}

/** What the daemon counts. The methods are named after what happened, so that events can be connected to them one by one. */
export interface WorkerMetrics extends Disposable {
  readonly registry: MetricsRegistry;
  /** `outcome`: what became of the job once its message was settled. */
  jobEnded(outcome: string, seconds: number): void;
  /** `stage`: the step of the job or the model that failed, `message` for a message that never became a job. */
  failed(failure: { readonly class: string; readonly code: string }, stage: string): void;
  circuit(dependency: string, isOpen: boolean): void;
  leaseRenewed(): void;
  leaseLost(): void;
  deadLettered(code: string): void;
  /** `why`: what the message waits for. */
  waited(why: string): void;
  /** Receives that were used up through no fault of their messages, by what used them up. */
  receivesBurnt(by: string, count: number): void;
  pollFailed(): void;
  framesAnalysed(count: number): void;
  /** An analysis was stored that goes without something, by the stage and the code of that. */
  degraded(stage: string, code: string): void;
  stageSpent(stage: string, seconds: number): void;
}

const JOB_SECONDS = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200];
const RESOLUTION_MS = 10;

export function createWorkerMetrics(sources: WorkerMetricsSources): WorkerMetrics {
  const registry = new MetricsRegistry();
  const jobs = registry.counter('video_worker_jobs_total', 'Jobs by outcome');
  const failures = registry.counter('video_worker_failures_total', 'Failed jobs and messages by class, code and stage');
  const circuits = registry.gauge('video_worker_circuit_open', '1 while no messages are taken because of a dependency');
  const seconds = registry.histogram('video_worker_job_seconds', 'Seconds of a job by outcome', JOB_SECONDS);
  const renewals = registry.counter('video_worker_lease_renewals_total', 'Leases renewed');
  const lost = registry.counter('video_worker_leases_lost_total', 'Leases lost while a job ran');
  const dead = registry.counter('video_worker_dead_letters_total', 'Messages sent to the dead-letter queue, by code');
  const waits = registry.counter('video_worker_waits_total', 'Waits of messages under their leases, by reason');
  const burnt = registry.counter(
    'video_worker_burnt_receives_total',
    'Receives used up through no fault of their messages, by what used them up',
  );
  const polls = registry.counter('video_worker_poll_failures_total', 'Polls that failed');
  const frames = registry.counter('video_worker_frames_total', 'Sampled frames analysed');
  const degraded = registry.counter(
    'video_worker_degraded_total',
    'Analyses that were stored without something, by stage and code (`decode`: footage is missing)',
  );
  const stages = registry.counter('video_worker_stage_seconds_total', 'Seconds inside model runs, by stage');
  gaugeSources(registry, sources);
  registry.gaugeOf('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
  registry.gaugeOf('process_uptime_seconds', 'Seconds since the start', () => process.uptime());

  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  registry.gaugeOf('video_worker_loop_delay_p99_seconds', 'Event-loop delay, 99th percentile', () =>
    lateness(delay.percentile(99)),
  );
  registry.gaugeOf('video_worker_loop_delay_max_seconds', 'Event-loop delay, longest', () => lateness(delay.max));

  return {
    registry,
    jobEnded(outcome, jobSeconds) {
      jobs.add({ outcome });
      seconds.observe(jobSeconds, { outcome });
    },
    failed: (failure, stage) => failures.add({ class: failure.class, code: failure.code, stage }),
    circuit: (dependency, isOpen) => circuits.set(isOpen ? 1 : 0, { dependency }),
    leaseRenewed: () => renewals.add(),
    leaseLost: () => lost.add(),
    deadLettered: (code) => dead.add({ code }),
    waited: (why) => waits.add({ why }),
    receivesBurnt: (by, count) => burnt.add({ by }, count),
    pollFailed: () => polls.add(),
    framesAnalysed: (count) => frames.add({}, count),
    degraded: (stage, code) => degraded.add({ stage, code }),
    stageSpent: (stage, spent) => stages.add({ stage }, spent),
    [Symbol.dispose]() {
      delay.disable();
    },
  };
}

/** What is read when somebody asks. */
function gaugeSources(registry: MetricsRegistry, sources: WorkerMetricsSources): void {
  registry.gaugeOf('video_worker_slots', 'Videos that may be in work at once', () => sources.slots);
  registry.gaugeOf('video_worker_slots_busy', 'Videos in work', () => sources.busySlots());
  registry.gaugeOf('video_worker_decoder_sandbox', '1 while decoders start in a sandbox, 0 without', () =>
    sources.isSandboxed === true ? 1 : 0,
  );
  registry.gaugeOf('video_worker_waiting', 'Messages that wait under their leases', () => sources.waiting());
  registry.gaugeOf('video_worker_leases', 'Leases held', () => sources.leases());
  registry.gaugeOf('video_worker_poll_age_seconds', 'Seconds since a poll was answered', () => {
    const age = sources.pollAgeMs();
    return age === null ? null : age / 1000;
  });
}

/** In seconds. The monitor measures the pause between two ticks, its own resolution included (nanoseconds). */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) / 1_000;
}
