import type { FailureClass, FailureCode } from '../failure/codes.ts';
import type { Failure } from '../failure/failure.ts';
import type { Disposition, Settled } from '../failure/disposition.ts';
import { bounded } from '../text/bounded.ts';
import type { WorkerEventBus } from './events.ts';

export interface RecordedFailure {
  readonly at: string;
  readonly messageId: string;
  readonly class: FailureClass;
  readonly code: FailureCode;
  readonly stage: string;
  readonly reason: string;
}

export interface StatisticsSummary {
  readonly started: number;
  /** Analysed and stored here, their message settled or at least ours to settle. */
  readonly completed: number;
  /** Jobs that were done already: by another worker, or here before a delete that failed. */
  readonly duplicates: number;
  /** Reported as done when the lease was lost already: whoever has the message now finds a duplicate or does it again. */
  readonly lostAfterDone: number;
  /** How often a message had to wait, for another run of its object or for what was away. */
  readonly waited: number;
  /** Receives that were used up through no fault of their messages. */
  readonly burntReceives: number;
  readonly failed: number;
  readonly interrupted: number;
  /** Messages that ask for nothing. */
  readonly ignored: number;
  /** Completed of completed and failed; null before the first. */
  readonly successRate: number | null;
  readonly leaseRenewals: number;
  readonly leasesLost: number;
  readonly byClass: Readonly<Partial<Record<FailureClass, number>>>;
  readonly byCode: Readonly<Partial<Record<FailureCode, number>>>;
  /** Where they happened: a step of the job, a model, or `message` for one that never became a job. */
  readonly byStage: Readonly<Record<string, number>>;
  /** By the hour in which they happened, ISO 8601. */
  readonly byHour: Readonly<Record<string, number>>;
  readonly lastFailures: readonly RecordedFailure[];
}

const MAX_LAST = 100;
const MAX_HOURS = 48;
const MAX_REASON = 300;

export type JobOutcome =
  | 'completed'
  | 'duplicate'
  | 'ignored'
  | 'lost-after-done'
  | Exclude<Disposition['kind'], 'ack'>;

/** What a job came to once its message was settled: a success under a lost lease is not called one. */
export function outcomeOf(disposition: Disposition, settled: Settled): JobOutcome {
  if (disposition.kind !== 'ack') return disposition.kind;
  return settled === 'lost' && disposition.outcome === 'completed' ? 'lost-after-done' : disposition.outcome;
}

/** Counts what the worker tells, with the last hundred failures in full; bounded, so that it can run for months. */
export class Statistics {
  readonly #wallTime: () => Date;
  readonly #outcomes = new Map<JobOutcome, number>();
  #started = 0;
  #failed = 0;
  #waited = 0;
  #burnt = 0;
  #renewals = 0;
  #lost = 0;
  readonly #byClass = new Map<FailureClass, number>();
  readonly #byCode = new Map<FailureCode, number>();
  readonly #byStage = new Map<string, number>();
  readonly #byHour = new Map<string, number>();
  readonly #last: RecordedFailure[] = [];

  constructor(events: WorkerEventBus, wallTime: () => Date = () => new Date()) {
    this.#wallTime = wallTime;
    events.on('job:started', () => (this.#started += 1));
    events.on('message:waiting', () => (this.#waited += 1));
    events.on('receive:burnt', ({ count: receives }) => (this.#burnt += receives));
    events.on('lease:renewed', () => (this.#renewals += 1));
    events.on('lease:lost', () => (this.#lost += 1));
    events.on('message:ignored', () => count(this.#outcomes, 'ignored'));
    events.on('message:done-before', () => count(this.#outcomes, 'duplicate'));
    events.on('message:rejected', ({ messageId, failure }) => this.#record(messageId, failure, 'message'));
    events.on('job:settled', ({ messageId, disposition, settled, isAgain }) => {
      count(this.#outcomes, outcomeOf(disposition, settled));
      // What goes on waiting has failed once.
      const isEcho = settled === 'kept' && isAgain === true;
      if ('failure' in disposition && !isEcho) this.#record(messageId, disposition.failure, 'unknown');
    });
  }

  summary(): StatisticsSummary {
    const of = (outcome: JobOutcome): number => this.#outcomes.get(outcome) ?? 0;
    const completed = of('completed');
    const ended = completed + this.#failed;
    return {
      started: this.#started,
      completed,
      duplicates: of('duplicate'),
      lostAfterDone: of('lost-after-done'),
      waited: this.#waited,
      burntReceives: this.#burnt,
      failed: this.#failed,
      interrupted: of('abandon'),
      ignored: of('ignored'),
      successRate: ended === 0 ? null : completed / ended,
      leaseRenewals: this.#renewals,
      leasesLost: this.#lost,
      byClass: Object.fromEntries(this.#byClass),
      byCode: Object.fromEntries(this.#byCode),
      byStage: Object.fromEntries(this.#byStage),
      byHour: Object.fromEntries(this.#byHour),
      lastFailures: [...this.#last],
    };
  }

  #record(messageId: string, failure: Failure, otherwise: string): void {
    const at = this.#wallTime().toISOString();
    const stage = failure.stage ?? otherwise;
    this.#failed += 1;
    count(this.#byClass, failure.class);
    count(this.#byCode, failure.code);
    count(this.#byStage, stage);
    count(this.#byHour, `${at.slice(0, 13)}:00Z`);
    const oldest = this.#byHour.keys().next().value;
    if (this.#byHour.size > MAX_HOURS && oldest !== undefined) this.#byHour.delete(oldest);
    const reason = bounded(failure.message, MAX_REASON);
    this.#last.push({ at, messageId, class: failure.class, code: failure.code, stage, reason });
    if (this.#last.length > MAX_LAST) this.#last.shift();
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
