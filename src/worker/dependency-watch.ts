import type { Dependency } from '../failure/codes.ts';
import { answeredIn } from '../failure/dependency.ts';
import type { Disposition } from '../failure/disposition.ts';
import { Failure } from '../failure/failure.ts';
import type { Clock } from '../time/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CircuitBreaker, type CircuitBreakerSettings } from './circuit-breaker.ts';
import type { WorkerEventBus } from './events.ts';
import type { Slots } from './slots.ts';

export interface DependencyWatchOptions {
  readonly settings: CircuitBreakerSettings;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: WorkerEventBus;
}

/** Learns from how jobs end whether what they need is there, and says how many messages may be taken meanwhile. */
export class DependencyWatch {
  readonly #options: DependencyWatchOptions;
  readonly #breaker: CircuitBreaker;

  constructor(options: DependencyWatchOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.settings);
  }

  get freeSlots(): number {
    const { slots, clock } = this.#options;
    return slots.free((all, older) => this.#breaker.slots(clock.now(), all, older));
  }

  /** What is away, or in doubt: its circuit is not closed. */
  get away(): readonly Dependency[] {
    return this.#breaker.open;
  }

  /** How long until more messages may be taken; zero while no circuit is open. */
  get pausedMs(): number {
    return this.#breaker.waitMs(this.#options.clock.now());
  }

  /** `objects`: what the job worked on, asked where it failed. Returns what stops the worker, where this host is in doubt and the doubt does not go away. */
  learn(disposition: Disposition, objects: () => readonly string[]): Failure | null {
    const { slots, clock, logger, events } = this.#options;
    for (const dependency of this.#breaker.succeeded(answeredIn(disposition))) {
      logger.info({ dependency }, 'a dependency is back');
      events.emit('circuit:closed', { dependency });
    }
    // A reject too: at the last receive of a message its temporary failure ends it.
    if (disposition.kind !== 'retry' && disposition.kind !== 'reject') return null;
    const { failure } = disposition;
    const opened = this.#breaker.failed(failure, clock.now(), objects().join());
    if (opened === null) return null;
    slots.circuitOpened();
    const { dependency, forMs, isHopeless } = opened;
    logger.error({ dependency, forMs }, 'a dependency is away, no messages are taken for a while');
    events.emit('circuit:open', { dependency, forMs });
    if (!isHopeless) return null;
    return new Failure(
      'HOST_IN_DOUBT',
      `jobs about different objects end with errors that no rule knows, also after pauses; the last: ${failure.message}`,
      { cause: failure },
    );
  }
}
