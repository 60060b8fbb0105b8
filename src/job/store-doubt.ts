import { toFailure } from '../failure/classify.ts';
import { Failure } from '../failure/failure.ts';
import { systemClock, type Clock } from '../time/clock.ts';

/** So many objects in a row, within so long, are more likely a role that lost its rights than as many forbidden objects. */
const OBJECTS = 3;
const WITHIN_MS = 600_000;

/**
 * Doubts that each of several objects is forbidden when none is allowed: a host whose role has no right to read would have every good
 * video rejected. What is doubted waits for the store as if it were away; one object that can be read ends the doubt.
 */
export class StoreDoubt {
  readonly #clock: Clock;
  readonly #refused = new Map<string, number>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Asks the store for an object; rejects as `ask` does, or with STORE_MISCONFIGURED for a refusal that is doubted. */
  async ask<T>(object: { readonly bucket: string; readonly key: string }, ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.#refused.clear();
      return answer;
    } catch (error) {
      throw this.#judged(error, JSON.stringify([object.bucket, object.key]));
    }
  }

  #judged(error: unknown, object: string): unknown {
    const failure = toFailure(error);
    if (failure.code !== 'OBJECT_FORBIDDEN') return error;
    const now = this.#clock.now();
    for (const [other, at] of this.#refused) if (now - at > WITHIN_MS) this.#refused.delete(other);
    this.#refused.delete(object);
    const others = this.#refused.size;
    this.#refused.set(object, now);
    const [oldest] = this.#refused.keys();
    // Bounded: which they are does not matter any more.
    if (others > OBJECTS && oldest !== undefined) this.#refused.delete(oldest);
    if (others < OBJECTS) return error;
    return new Failure(
      'STORE_MISCONFIGURED',
      `access is denied to one object after another and to none allowed, so that this is not believed of each: check the worker's role and the bucket's policy (${failure.message})`,
      { cause: error, details: failure.details },
    );
  }
}
