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

/** So many failed tries after a pause say that this host does not come back by itself. */
const HOPELESS_TRIES = 3;

export interface OpenedCircuit {
  readonly dependency: Dependency;
  readonly forMs: number;
  /** Only this host: a service comes back, a host must be looked at. */
  readonly isHopeless: boolean;
}

interface Circuit {
  failures: number;
  /** What failed, where only failures of different objects count. */
  readonly subjects: Set<string>;
  /** Failed tries since it first opened. */
  reopened: number;
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

  /**
   * How many jobs may run at once now, `older` of which were running when it last opened. A try that has not failed for a while lets one
   * more try: it may run for hours, and only its end would tell.
   */
  slots(now: number, all: number, older = 0): number {
    const openUntil = this.#openUntil;
    if (openUntil === null) return all;
    if (now < openUntil) return 0;
    return Math.min(older + 1 + Math.floor((now - openUntil) / this.#settings.maxPauseMs), all);
  }

  /** Milliseconds until more jobs may run than now; zero when nothing is open. */
  waitMs(now: number): number {
    const openUntil = this.#openUntil;
    if (openUntil === null) return 0;
    const { maxPauseMs } = this.#settings;
    return now < openUntil ? openUntil - now : maxPauseMs - ((now - openUntil) % maxPauseMs);
  }

  /** Of the circuit that is open for longest; null when none is. */
  get #openUntil(): number | null {
    if (this.#circuits.size === 0) return null;
    const open = [...this.#circuits.values()].filter((circuit) => circuit.isOpen);
    return open.length === 0 ? null : Math.max(...open.map((circuit) => circuit.openUntil));
  }

  /** Returns those of the dependencies whose open circuit this closed. */
  succeeded(dependencies: readonly Dependency[]): readonly Dependency[] {
    if (this.#circuits.size === 0) return [];
    const closed = dependencies.filter((dependency) => this.#circuits.get(dependency)?.isOpen === true);
    for (const dependency of dependencies) this.#circuits.delete(dependency);
    return closed;
  }

  /**
   * Returns what opened and for how long, null when the failure is not a dependency's or too few came in a row. `subject`: what failed;
   * only failures of different objects say something of this host, since one object may be the cause itself.
   */
  failed(failure: Failure, now: number, subject: string): OpenedCircuit | null {
    const dependency = dependencyOf(failure);
    if (dependency === null) return null;
    const circuit = this.#circuits.get(dependency) ?? newCircuit();
    this.#circuits.set(dependency, circuit);
    circuit.failures += 1;
    circuit.subjects.add(subject);
    const count = dependency === 'host' ? circuit.subjects.size : circuit.failures;
    if (count < this.#settings.threshold) return null;
    // Jobs that were already running when it opened fail too; they must not lengthen the pause.
    if (circuit.isOpen && now < circuit.openUntil) return null;
    const { firstPauseMs, maxPauseMs } = this.#settings;
    circuit.pauseMs = Math.min(circuit.pauseMs === 0 ? firstPauseMs : circuit.pauseMs * 2, maxPauseMs);
    circuit.openUntil = now + circuit.pauseMs;
    if (circuit.isOpen) circuit.reopened += 1;
    circuit.isOpen = true;
    return {
      dependency,
      forMs: circuit.pauseMs,
      isHopeless: dependency === 'host' && circuit.reopened >= HOPELESS_TRIES,
    };
  }
}

function newCircuit(): Circuit {
  return { failures: 0, subjects: new Set(), reopened: 0, pauseMs: 0, openUntil: 0, isOpen: false };
}
