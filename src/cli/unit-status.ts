import type { SystemdNotifier } from '../telemetry/systemd-notify.ts';
import { backgroundClock, type Clock } from '../time/clock.ts';
import type { WorkerEventBus, WorkerEvents } from '../worker/events.ts';
import type { StatisticsSummary } from '../worker/statistics.ts';
import type { Worker } from '../worker/worker.ts';

/** What the line says, beside what is away. */
export interface UnitState {
  readonly worker: Pick<Worker, 'state' | 'busy' | 'waiting'>;
  readonly summary: () => Pick<StatisticsSummary, 'completed' | 'failed'>;
}

export interface UnitStatusOptions extends UnitState {
  readonly events: WorkerEventBus;
  readonly notifier: Pick<SystemdNotifier, 'status'>;
  /** The system's when absent, with timers that hold nothing up. */
  readonly clock?: Clock;
  readonly wallTime?: () => Date;
}

/** A word may cost a child, and nobody reads faster. */
const AT_MOST_EVERY_MS = 5_000;
/** After which the line may be another. */
const CHANGES: readonly (keyof WorkerEvents)[] = [
  'worker:state',
  'job:started',
  'job:settled',
  'message:waiting',
  'message:rejected',
  'message:done-before',
  'message:given-back',
];

/** Keeps the line that `systemctl status` shows: said when it changes, and at most every five seconds. */
export class UnitStatus implements Disposable {
  readonly #options: UnitStatusOptions;
  readonly #clock: Clock;
  readonly #wallTime: () => Date;
  /** What is away, since when. */
  readonly #away = new Map<string, Date>();
  readonly #unlisten: (() => void)[];
  #said = '';
  #lookedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  #reason: string | null = null;

  constructor(options: UnitStatusOptions) {
    const { events } = options;
    this.#options = options;
    this.#clock = options.clock ?? backgroundClock;
    this.#wallTime = options.wallTime ?? (() => new Date());
    this.#unlisten = [
      ...CHANGES.map((name) => events.on(name, () => this.#changed())),
      events.on('circuit:open', ({ dependency }) => this.#isAway(dependency)),
      events.on('circuit:closed', ({ dependency }) => this.#isBack(dependency)),
      events.on('poll:failed', ({ queue }) => this.#isAway(`queue ${queue}`)),
      events.on('poll:answered', ({ queue }) => this.#isBack(`queue ${queue}`)),
    ];
  }

  get text(): string {
    const { worker, summary } = this.#options;
    const { completed, failed } = summary();
    const parts = [
      this.#reason === null ? worker.state : `${worker.state} (${this.#reason})`,
      `${worker.busy} ${worker.busy === 1 ? 'video' : 'videos'} in work`,
      ...(worker.waiting === 0 ? [] : [`${worker.waiting} waiting`]),
      `${completed} done`,
      `${failed} failed`,
    ];
    const away = [...this.#away].map(([what, since]) => `; waiting for ${what} since ${this.#timeOf(since)}`);
    return `${parts.join(', ')}${away.join('')}`;
  }

  /** Why the worker stops, from now on. */
  draining(reason: string): void {
    this.#reason = reason;
    this.#changed();
  }

  #isAway(what: string): void {
    if (this.#away.has(what)) return;
    this.#away.set(what, this.#wallTime());
    this.#changed();
  }

  #isBack(what: string): void {
    if (this.#away.delete(what)) this.#changed();
  }

  #changed(): void {
    if (this.#cancel !== null) return;
    const dueMs = this.#lookedAt + AT_MOST_EVERY_MS - this.#clock.now();
    // Also at once only after this turn: what belongs together, a message settled and its slot free, is told by several events.
    this.#cancel = this.#clock.after(Math.max(0, dueMs), () => {
      this.#cancel = null;
      this.#say();
    });
  }

  #say(): void {
    const { text } = this;
    this.#lookedAt = this.#clock.now();
    if (text === this.#said) return;
    this.#said = text;
    void this.#options.notifier.status(text);
  }

  /** In UTC, as the log has it; with its day where that is another one. */
  #timeOf(since: Date): string {
    const [day, time] = [since.toISOString().slice(0, 10), since.toISOString().slice(11, 16)];
    return this.#wallTime().toISOString().startsWith(day) ? `${time}Z` : `${day} ${time}Z`;
  }

  [Symbol.dispose](): void {
    for (const unlisten of this.#unlisten) unlisten();
    this.#cancel?.();
    this.#cancel = () => undefined;
  }
}
