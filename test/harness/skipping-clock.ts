import { systemClock, type Clock } from '../../src/time/clock.ts';

interface Timer {
  readonly at: number;
  readonly work: () => void;
  cancel: () => void;
}

/** The system's time, of which a test can skip a part: for what comes at the end of a long wait among real servers. */
export class SkippingClock implements Clock {
  readonly #timers = new Set<Timer>();
  #skipped = 0;

  now(): number {
    return systemClock.now() + this.#skipped;
  }

  after(ms: number, work: () => void): () => void {
    const timer: Timer = { at: this.now() + ms, work, cancel: () => undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      this.#timers.delete(timer);
      timer.cancel();
    };
  }

  /** So much time passes without waiting: what is due meanwhile happens at its own time, in its order. */
  async skip(ms: number): Promise<void> {
    const end = this.now() + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      next.cancel();
      this.#timers.delete(next);
      this.#skipped += Math.max(0, next.at - this.now());
      next.work();
      await new Promise(setImmediate);
    }
    this.#skipped += Math.max(0, end - this.now());
    for (const timer of this.#timers) {
      timer.cancel();
      this.#arm(timer);
    }
  }

  #arm(timer: Timer): void {
    timer.cancel = systemClock.after(Math.max(0, timer.at - this.now()), () => {
      this.#timers.delete(timer);
      timer.work();
    });
  }
}
