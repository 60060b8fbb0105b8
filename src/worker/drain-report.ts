import type { Failure } from '../failure/failure.ts';

/** How a worker ended, for its exit code and its last log line. */
export interface DrainReport {
  readonly reason: string;
  /** Messages whose run ended by itself after the drain began. */
  readonly finished: number;
  /** Messages that were given back. */
  readonly givenBack: number;
  /** Runs that the drain aborted, whatever became of their messages. */
  readonly aborted: number;
  /** Runs that had not returned when the drain ended. */
  readonly stuck: number;
  /** What stopped the worker, when it was a system failure. */
  readonly failure: Failure | null;
}
