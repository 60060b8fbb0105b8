import type { FailureCode } from '../failure.ts';

/** A failure that says a dependency is away rather than that one job is unlucky. */
const DEPENDENCY: Partial<Record<FailureCode, 'database' | 'storage'>> = {
  DATABASE_UNAVAILABLE: 'database',
  SERVICE_UNAVAILABLE: 'storage',
  THROTTLED: 'storage',
  NETWORK: 'storage',
  TIMEOUT: 'storage',
};

export interface CircuitBreakerSettings {
  /** Failures in a row that open it. */
  readonly threshold: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

export const DEFAULT_BREAKER: CircuitBreakerSettings = { threshold: 3, firstPauseMs: 15_000, maxPauseMs: 300_000 };

/**
 * Stops taking messages while a dependency is away: each receive would only burn one of the message's few.
 *
 * closed: work is taken freely. open: none until the pause is over. half-open: one job at a time tries; its success closes
 * the circuit, its failure opens it for twice as long.
 */
export class CircuitBreaker {
  readonly #settings: CircuitBreakerSettings;
  #failures = 0;
  #pauseMs = 0;
  #openUntil = 0;
  #state: 'closed' | 'open' = 'closed';

  constructor(settings: CircuitBreakerSettings = DEFAULT_BREAKER) {
    this.#settings = settings;
  }

  /** How many jobs may run at once now. */
  slots(now: number, all: number): number {
    if (this.#state === 'closed') return all;
    return now < this.#openUntil ? 0 : Math.min(1, all);
  }

  /** Milliseconds until it is worth asking again; zero when it is not open. */
  waitMs(now: number): number {
    return this.#state === 'closed' ? 0 : Math.max(0, this.#openUntil - now);
  }

  /** Returns true when this success closed an open circuit. */
  succeeded(): boolean {
    const wasOpen = this.#state === 'open';
    this.#failures = 0;
    this.#pauseMs = 0;
    this.#state = 'closed';
    return wasOpen;
  }

  /** Returns what opened and for how long, null when the failure is not a dependency's or too few came in a row. */
  failed(code: FailureCode, now: number): { readonly dependency: string; readonly forMs: number } | null {
    const dependency = DEPENDENCY[code];
    if (dependency === undefined) return null;
    this.#failures += 1;
    if (this.#failures < this.#settings.threshold) return null;
    // Jobs that were already running when it opened fail too; they must not lengthen the pause.
    if (this.#state === 'open' && now < this.#openUntil) return null;
    this.#pauseMs = Math.min(
      this.#pauseMs === 0 ? this.#settings.firstPauseMs : this.#pauseMs * 2,
      this.#settings.maxPauseMs,
    );
    this.#openUntil = now + this.#pauseMs;
    this.#state = 'open';
    return { dependency, forMs: this.#pauseMs };
  }
}
