import type { Config } from '../config/config.ts';
import type { Failure } from '../failure/failure.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import { ownOutput } from '../job/own-output.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createSystemdNotifier } from '../telemetry/systemd-notify.ts';
import { createWorkerMetrics } from '../telemetry/worker-metrics.ts';
import { DEFAULT_BREAKER, type CircuitBreakerSettings } from '../worker/circuit-breaker.ts';
import type { ProcessJob } from '../worker/delivery.ts';
import type { WorkerEventBus } from '../worker/events.ts';
import { watchInterruptions } from '../worker/interruption-watch.ts';
import { watchSignals } from '../worker/signals.ts';
import { Statistics } from '../worker/statistics.ts';
import type { WorkerQueue } from '../worker/worker-options.ts';
import type { DrainReport } from '../worker/drain-report.ts';
import { Worker } from '../worker/worker.ts';
import type { CrashPath } from './crash-path.ts';
import { openHealth, type ProcessHealth } from './process-health.ts';
import type { StartSignals } from './start-signals.ts';
import { StopTime } from './stop-time.ts';
import { UnitStatus } from './unit-status.ts';
import { environment } from '../config/environment.ts';
import { countEvents, healthSource } from './worker-health.ts';
import { VERSION } from './version.ts';

export interface DaemonParts {
  readonly config: Config<'queue'>;
  readonly logger: Logger;
  readonly queues: readonly WorkerQueue[];
  readonly processJob: ProcessJob;
  readonly onRejectedMessage: (message: ReceivedMessage, failure: Failure) => Promise<void>;
  readonly crashPath: CrashPath;
  /** Who heard the stop signals up to here, where somebody did. */
  readonly starting?: StartSignals;
  /** Opened by the start, where it did; it stays the caller's. */
  readonly health?: ProcessHealth;
  readonly events: WorkerEventBus;
  /** Whether decoders start in a sandbox. */
  readonly isSandboxed?: boolean;
}

/** Milliseconds that an aborted job may take to kill its ffmpeg and to remove its workspace. */
const UNWIND_MS = 15_000;
/** Two seconds after a crash every message is somebody else's. */
const GIVE_BACK_MS = 1_800;
const INTERRUPTION_POLL_MS = 5_000;
/** A spot instance ends two minutes after its notice; a third of that is kept for giving back. */
const SPOT_DRAIN_MS = 80_000;

/** Runs the worker until a signal, a host notice or a system failure has drained it. */
export async function runDaemon(parts: DaemonParts): Promise<DrainReport> {
  const { config, logger, events } = parts;
  const statistics = new Statistics(events);
  const worker = new Worker({
    queues: parts.queues,
    concurrency: config.worker.concurrency,
    processJob: parts.processJob,
    settings: {
      visibilitySeconds: config.queue.visibilityTimeoutSeconds,
      waitSeconds: config.queue.waitSeconds,
      maxProcessingSeconds: config.worker.maxProcessingSeconds,
      unwindMs: UNWIND_MS,
      workerVersion: VERSION,
      maxRetryDelaySeconds: config.queue.maxRetryDelaySeconds,
      maxWaiting: config.queue.maxWaiting,
      breaker: breakerSettings(config),
    },
    logger,
    events,
    onRejectedMessage: parts.onRejectedMessage,
    ignores: ownOutput(config.analysis.highlightsBucket),
  });
  using metrics = createWorkerMetrics({
    slots: config.worker.concurrency,
    isSandboxed: parts.isSandboxed === true,
    busySlots: () => worker.busy,
    waiting: () => worker.waiting,
    leases: () => worker.leases,
    pollAgeMs: () => worker.pollAgeMs,
  });
  countEvents(events, metrics);
  await using own = parts.health === undefined ? await openHealth(config.health, logger) : null;
  const source = healthSource({ worker, metrics, statistics, waitSeconds: config.queue.waitSeconds });
  (parts.health ?? own)?.follow(source);
  try {
    return await runUntilDrained(parts, worker, statistics);
  } finally {
    logger.info({ summary: statistics.summary() }, 'worker stopped');
  }
}

function breakerSettings({ worker }: Config): CircuitBreakerSettings {
  const maxPauseMs = worker.circuitMaxPauseSeconds * 1_000;
  return { ...DEFAULT_BREAKER, firstPauseMs: Math.min(DEFAULT_BREAKER.firstPauseMs, maxPauseMs), maxPauseMs };
}

async function runUntilDrained(parts: DaemonParts, worker: Worker, statistics: Statistics): Promise<DrainReport> {
  const { config, logger, events } = parts;
  using notifier = createSystemdNotifier({ env: environment(), logger });
  using status = new UnitStatus({ worker, summary: () => statistics.summary(), events, notifier });
  using stopTime = new StopTime({ notifier, isAlive: () => worker.renewalsOnTime });
  const drain = (reason: string, deadlineMs: number, kind?: 'host-interruption'): void => {
    logger.warn({ reason, deadlineMs }, 'draining: no new messages, running jobs may finish');
    void notifier.stopping(`draining (${reason})`);
    stopTime.draining(deadlineMs);
    status.draining(reason);
    void worker.drain(reason, deadlineMs, kind);
  };
  const drainMs = config.worker.drainSeconds * 1_000;
  const unwatchSignals = watchSignals(process, {
    onFirst: (signal) => drain(signal, drainMs),
    onSecond: (signal) => {
      stopTime.draining(0);
      void worker.drainNow(`a second ${signal}`);
    },
  });
  const unwatchHost = config.worker.hostInterruptionWatch
    ? watchInterruptions({
        endpoint: config.worker.imdsEndpoint,
        intervalMs: INTERRUPTION_POLL_MS,
        logger,
        // The other notices say nothing of two minutes; a spot notice that follows brings the deadline closer.
        onNotice: ({ kind }) =>
          drain(kind, kind === 'spot-interruption' ? SPOT_DRAIN_MS : drainMs, 'host-interruption'),
      })
    : null;
  parts.crashPath.giveBack = () => worker.giveBackAll(GIVE_BACK_MS);
  try {
    // Listened to without a gap: the one listens before the other is asked to leave.
    const stoppedBy = parts.starting?.release() ?? null;
    if (stoppedBy !== null) drain(stoppedBy, 0);
    else {
      worker.start();
      logger.info({ version: VERSION, concurrency: config.worker.concurrency }, 'polling');
      await notifier.ready('polling');
      notifier.watch(() => worker.renewalsOnTime);
    }
    return await worker.stopped;
  } finally {
    parts.crashPath.giveBack = null;
    unwatchSignals();
    await unwatchHost?.();
  }
}
