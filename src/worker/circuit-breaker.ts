import type { Dependency } from '../failure/codes.ts';
import { dependencyOf } from '../failure/dependency.ts';
import type { Failure } from '../failure/failure.ts';

export interface CircuitBreakerSettings {
  /** Failures in a row that open it. */
  readonly threshold: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

export const DEFAULT_BREAKER: CircuitBreakerSettings = { threshold: 3, firstPauseMs: 15_000, maxPauseMs: 300_000 };

interface Circuit {
  failures: number;
  pauseMs: number;
  openUntil: number;
  isOpen: boolean;
}

/**
 * Stops taking messages while a dependency is away: each receive would only burn one of the message's few. Every dependency
 * has a circuit of its own, so that failures of two of them do not add up and the answer of one does not excuse another.
 *
 * closed: work is taken freely. open: none until the pause is over. half-open: one job at a time tries; its success closes
 * the circuit, its failure opens it for twice as long.
 */
export class CircuitBreaker {
  readonly #settings: CircuitBreakerSettings;
  readonly #circuits = new Map<Dependency, Circuit>();

  constructor(settings: CircuitBreakerSettings = DEFAULT_BREAKER) {
    this.#settings = settings;
  }

  /** The dependencies whose circuit is not closed. */
  get open(): readonly Dependency[] {
    return [...this.#circuits].filter(([, circuit]) => circuit.isOpen).map(([dependency]) => dependency);
  }

  /** How many jobs may run at once now, `older` of which were running when it last opened. */
  slots(now: number, all: number, older = 0): number {
    const open = [...this.#circuits.values()].filter((circuit) => circuit.isOpen);
    if (open.length === 0) return all;
    return open.some((circuit) => now < circuit.openUntil) ? 0 : Math.min(older + 1, all);
  }

  /** Milliseconds until it is worth asking again; zero when nothing is open. */
  waitMs(now: number): number {
    const open = [...this.#circuits.values()].filter((circuit) => circuit.isOpen);
    return Math.max(0, ...open.map((circuit) => circuit.openUntil - now));
  }

  /** Returns those of the dependencies whose open circuit this closed. */
  succeeded(dependencies: readonly Dependency[]): readonly Dependency[] {
    const closed = dependencies.filter((dependency) => this.#circuits.get(dependency)?.isOpen === true);
    for (const dependency of dependencies) this.#circuits.delete(dependency);
    return closed;
  }

  /** Returns what opened and for how long, null when the failure is not a dependency's or too few came in a row. */
  failed(failure: Failure, now: number): { readonly dependency: Dependency; readonly forMs: number } | null {
    const dependency = dependencyOf(failure);
    if (dependency === null) return null;
    const circuit = this.#circuits.get(dependency) ?? { failures: 0, pauseMs: 0, openUntil: 0, isOpen: false };
    this.#circuits.set(dependency, circuit);
    circuit.failures += 1;
    if (circuit.failures < this.#settings.threshold) return null;
    // Jobs that were already running when it opened fail too; they must not lengthen the pause.
    if (circuit.isOpen && now < circuit.openUntil) return null;
    const { firstPauseMs, maxPauseMs } = this.#settings;
    circuit.pauseMs = Math.min(circuit.pauseMs === 0 ? firstPauseMs : circuit.pauseMs * 2, maxPauseMs);
    circuit.openUntil = now + circuit.pauseMs;
    circuit.isOpen = true;
    return { dependency, forMs: circuit.pauseMs };
  }
}
