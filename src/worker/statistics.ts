import type { Failure, FailureClass, FailureCode } from '../failure.ts';
import type { WorkerEventBus } from './events.ts';

export interface RecordedFailure {
  readonly at: string;
  readonly messageId: string;
  readonly class: FailureClass;
  readonly code: FailureCode;
  readonly reason: string;
}

export interface StatisticsSummary {
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly interrupted: number;
  /** Completed of completed and failed; null before the first. */
  readonly successRate: number | null;
  readonly leaseRenewals: number;
  readonly leasesLost: number;
  readonly byClass: Readonly<Partial<Record<FailureClass, number>>>;
  readonly byCode: Readonly<Partial<Record<FailureCode, number>>>;
  /** By the hour in which they happened, ISO 8601. */
  readonly byHour: Readonly<Record<string, number>>;
  readonly lastFailures: readonly RecordedFailure[];
}

const MAX_LAST = 100;
const MAX_HOURS = 48;
const MAX_REASON = 300;

/** Counts what the worker tells, with the last hundred failures in full; bounded, so that it can run for months. */
export class Statistics {
  readonly #wallTime: () => Date;
  #started = 0;
  #completed = 0;
  #failed = 0;
  #interrupted = 0;
  #renewals = 0;
  #lost = 0;
  readonly #byClass = new Map<FailureClass, number>();
  readonly #byCode = new Map<FailureCode, number>();
  readonly #byHour = new Map<string, number>();
  readonly #last: RecordedFailure[] = [];

  constructor(events: WorkerEventBus, wallTime: () => Date = () => new Date()) {
    this.#wallTime = wallTime;
    events.on('job:started', () => (this.#started += 1));
    events.on('lease:renewed', () => (this.#renewals += 1));
    events.on('lease:lost', () => (this.#lost += 1));
    events.on('job:returned', ({ messageId, disposition }) => {
      if (disposition.kind === 'ack') this.#completed += 1;
      else if (disposition.kind === 'abandon') this.#interrupted += 1;
      else if (disposition.kind !== 'defer') this.#record(messageId, disposition.failure);
    });
  }

  summary(): StatisticsSummary {
    const ended = this.#completed + this.#failed;
    return {
      started: this.#started,
      completed: this.#completed,
      failed: this.#failed,
      interrupted: this.#interrupted,
      successRate: ended === 0 ? null : this.#completed / ended,
      leaseRenewals: this.#renewals,
      leasesLost: this.#lost,
      byClass: Object.fromEntries(this.#byClass),
      byCode: Object.fromEntries(this.#byCode),
      byHour: Object.fromEntries(this.#byHour),
      lastFailures: [...this.#last],
    };
  }

  #record(messageId: string, failure: Failure): void {
    const at = this.#wallTime().toISOString();
    this.#failed += 1;
    count(this.#byClass, failure.class);
    count(this.#byCode, failure.code);
    count(this.#byHour, `${at.slice(0, 13)}:00Z`);
    const oldest = this.#byHour.keys().next().value;
    if (this.#byHour.size > MAX_HOURS && oldest !== undefined) this.#byHour.delete(oldest);
    const reason = failure.message.slice(0, MAX_REASON);
    this.#last.push({ at, messageId, class: failure.class, code: failure.code, reason });
    if (this.#last.length > MAX_LAST) this.#last.shift();
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
