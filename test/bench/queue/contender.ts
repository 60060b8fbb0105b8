import type { Arena, Watch } from './arena.ts';

export interface ContenderJob {
  readonly messageId: string;
  readonly key: string;
}

/** What a consumer offers to the code that runs a job. */
export interface JobControl {
  /** Null where a consumer cannot tell a job to stop. */
  readonly signal: AbortSignal | null;
  /** Asks the queue whether the message is still ours and throws if not; does nothing where a consumer has no such thing. */
  confirm(): Promise<void>;
}

/** Resolves for success, rejects for a failure. */
export type Handler = (job: ContenderJob, control: JobControl) => Promise<void>;

export interface ContenderOptions {
  readonly arena: Arena;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  /** Messages at once. */
  readonly slots: number;
  readonly leaseSeconds: number;
  readonly waitSeconds: number;
  /** Null: no limit. */
  readonly jobLimitMs: number | null;
  readonly handle: Handler;
  /** Keep no record of events, which would count as the consumer's own cost; false when absent. */
  readonly isQuiet?: boolean;
  /** Told of each message that the consumer reports as done, its delete included. */
  readonly onReported?: (messageId: string) => void;
}

/**
 * wait: what runs may finish, the open poll too.
 * quick: the consumer's fastest orderly end, with an open poll aborted where that is offered.
 */
export type Stop = 'wait' | 'quick';

export interface RunningContender {
  readonly watch: Watch;
  /** Ids of messages that were reported as done. */
  readonly reported: readonly string[];
  /** Resolves when the consumer says that it has stopped. */
  stop(how: Stop, deadlineMs: number): Promise<void>;
  /** Frees what is left after a stop. */
  close(): void;
}

export interface Contender<Running extends RunningContender = RunningContender> {
  readonly name: string;
  start(options: ContenderOptions): Running;
}
