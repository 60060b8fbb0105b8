import type { Job } from '../queue/messages/job.ts';
import type { Disposition } from '../failure/disposition.ts';

/** One job of one received message, with the part of its lease that a job run may touch. */
export interface Delivery {
  readonly job: Job;
  readonly messageId: string;
  readonly correlationId: string;
  /** How often the queue has handed the message out, this time included. */
  readonly receiveCount: number;
  /** Fence before a commit: resolves when the lease is certainly held, rejects with `Interruption('lease-lost')`. */
  confirmLease(): Promise<void>;
}

/**
 * Runs one job to its disposition; never throws its outcome. `signal` joins lease loss, job deadline and shutdown,
 * with an `Interruption` as its reason.
 */
export type ProcessJob = (delivery: Delivery, signal: AbortSignal) => Promise<Disposition>;
