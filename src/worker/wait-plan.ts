import { isAway } from '../failure/dependency.ts';
import type { Disposition, WaitReason } from '../failure/disposition.ts';
import type { Failure } from '../failure/failure.ts';
import type { ReceiveFacts } from '../failure/receipt.ts';
import { retryDelaySeconds } from '../failure/retry-delay.ts';

export interface PlannedWait {
  readonly why: WaitReason;
  readonly detail: string;
  readonly seconds: number;
  /** It has waited for the same before. */
  readonly isAgain: boolean;
  /** What it waits for to pass, where that is a failure. */
  readonly failure?: Failure;
}

export interface WaitFacts extends ReceiveFacts {
  /** The queue hands out nothing of a group while one message of it is hidden. */
  readonly isOrdered: boolean;
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Cap of every wait. */
  readonly maxSeconds: number;
}

const FIRST_LOOK_SECONDS = 5;

/** How often and since when one message has waited for one thing: what it waits for is looked at with growing pauses. */
export class WaitPlan {
  #why: WaitReason | null = null;
  #waits = 0;
  #since = 0;

  /** What follows from the end of a run: that it waits, how long until the next look, or an end. */
  after(disposition: Disposition, facts: WaitFacts): PlannedWait | Disposition {
    if (disposition.kind === 'wait') return this.#forOther(disposition, facts);
    if (disposition.kind !== 'retry') return disposition;
    const { failure, afterSeconds } = disposition;
    // Given back, it would use up its receives for a fault that is not its own; the last one is left with a reason, by a run that knows.
    const mayWait = isAway(failure) && (facts.isAlone !== true || facts.isLastReceive);
    if (mayWait) return this.#growing('dependency', failure, afterSeconds, facts);
    // Given back, it would hold up its group, and the rest of the group would be received and given back each time.
    if (facts.isOrdered) return this.#growing('retry', failure, afterSeconds, facts);
    return disposition;
  }

  #forOther(disposition: Extract<Disposition, { kind: 'wait' }>, facts: WaitFacts): PlannedWait | Disposition {
    const { why, detail, afterSeconds, otherwise } = disposition;
    const waits = this.#count(why, facts.now);
    if (otherwise !== null && facts.now - this.#since >= otherwise.afterSeconds * 1_000) {
      const { failure } = otherwise;
      if (facts.isLastTry ?? facts.isLastReceive) return { kind: 'reject', failure };
      const delay = retryDelaySeconds(failure, facts.receiveCount);
      if (facts.isOrdered) return this.#growing('retry', failure, delay, facts);
      return { kind: 'retry', afterSeconds: delay, failure };
    }
    const seconds = Math.min(FIRST_LOOK_SECONDS * 2 ** waits, afterSeconds, facts.maxSeconds);
    return { why, detail, seconds, isAgain: waits > 0 };
  }

  #growing(why: WaitReason, failure: Failure, firstSeconds: number, { now, maxSeconds }: WaitFacts): PlannedWait {
    const waits = this.#count(why, now);
    const seconds = Math.min(Math.max(firstSeconds, 1) * 2 ** waits, maxSeconds);
    return { why, detail: failure.message, seconds, failure, isAgain: waits > 0 };
  }

  /** Waits for the same thing before this one. */
  #count(why: WaitReason, now: number): number {
    if (this.#why !== why) {
      this.#why = why;
      this.#waits = 0;
      this.#since = now;
    }
    this.#waits += 1;
    return Math.min(this.#waits - 1, 20);
  }
}
