import type { SystemdNotifier } from '../telemetry/systemd-notify.ts';
import { backgroundClock, type Clock } from '../time/clock.ts';

export interface StopTimeOptions {
  readonly notifier: Pick<SystemdNotifier, 'extendStop'>;
  /** False: what it still does is no progress, as where the renewals of leases stand still. */
  readonly isAlive: () => boolean;
  /** The system's when absent, with timers that hold nothing up. */
  readonly clock?: Clock;
}

/** Beyond the drain's deadline: aborting jobs and giving back (40 s, see drain.ts), closing models and database. */
export const STOP_REST_MS = 60_000;
const EVERY_MS = 10_000;
/** Of each word: three beats, so that one that is late does no harm and a process that stands still is soon ended. */
const STEP_MS = 30_000;

/**
 * Asks systemd for the time that a drain takes, however it compares with TimeoutStopSec: a little at a time, for as long as the process
 * is alive and its own deadline is not over. What hangs is ended by the unit all the same.
 */
export class StopTime implements Disposable {
  readonly #options: StopTimeOptions;
  readonly #clock: Clock;
  #end: number | null = null;
  #cancel: (() => void) | null = null;

  constructor(options: StopTimeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? backgroundClock;
  }

  /** A drain may take `deadlineMs` from now on. A later one only brings the end closer, as it does for the drain itself. */
  draining(deadlineMs: number): void {
    const end = this.#clock.now() + deadlineMs + STOP_REST_MS;
    this.#end = this.#end === null ? end : Math.min(this.#end, end);
    if (this.#cancel === null) this.#extend();
  }

  #extend(): void {
    const left = (this.#end ?? 0) - this.#clock.now();
    if (left <= 0) return;
    if (this.#options.isAlive()) void this.#options.notifier.extendStop(Math.min(left, STEP_MS));
    this.#cancel = this.#clock.after(EVERY_MS, () => this.#extend());
  }

  [Symbol.dispose](): void {
    this.#cancel?.();
    this.#end = 0;
  }
}
