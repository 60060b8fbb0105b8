import type { Failure } from '../failure/failure.ts';
import type { Clock } from '../time/clock.ts';
import type { MessageQueue } from '../queue/message-queue.ts';
import type { Job } from '../queue/messages/job.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
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
  /** Messages that may wait under their leases at once; 100 when absent. */
  readonly maxWaiting?: number;
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
  readonly onRejectedMessage?: (message: ReceivedMessage, failure: Failure) => Promise<void>;
  /** Why a job is none of ours, such as an object that the worker wrote itself; null: it is. */
  readonly ignores?: (job: Job) => string | null;
}
