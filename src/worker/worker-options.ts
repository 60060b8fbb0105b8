import type { Failure } from '../failure/failure.ts';
import type { Clock } from '../time/clock.ts';
import type { MessageQueue } from '../queue/message-queue.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SettlingSettings } from './settle-message.ts';
import type { CircuitBreakerSettings } from './circuit-breaker.ts';
import type { ProcessJob } from './delivery.ts';
import type { WorkerEventBus } from './events.ts';
import type { WeightedQueue } from './queue-picker.ts';

export interface WorkerQueue extends WeightedQueue {
  readonly messages: MessageQueue;
}

export interface WorkerSettings extends SettlingSettings {
  readonly visibilitySeconds: number;
  readonly waitSeconds: number;
  readonly maxProcessingSeconds: number;
  /** How long an aborted job may take to unwind before the drain ends without it. */
  readonly unwindMs: number;
  readonly breaker?: CircuitBreakerSettings;
}

export interface WorkerOptions {
  readonly queues: readonly WorkerQueue[];
  /** Slots: messages that are worked on at once. */
  readonly concurrency: number;
  readonly processJob: ProcessJob;
  readonly settings: WorkerSettings;
  readonly logger: Logger;
  readonly events: WorkerEventBus;
  readonly clock?: Clock;
  /** Told of a message that never became a job, before it is dead-lettered. */
  readonly onRejectedMessage?: (messageId: string, failure: Failure) => Promise<void>;
}
