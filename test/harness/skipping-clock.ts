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

  /** So much time has passed at once: what was due meanwhile happens now, in its order. */
  skip(ms: number): void {
    this.#skipped += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
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
