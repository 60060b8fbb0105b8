import type { Clock } from '../../src/time/clock.ts';

const MAX_IDLE_TURNS = 200;
const MAX_SIMULATED_MS = 24 * 3_600_000;

/** Time that stands until it is moved; timers fire in order while it moves. */
export class HandClock implements Clock {
  #now = 0;
  #timers: { at: number; work: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  get timers(): number {
    return this.#timers.length;
  }

  after(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves on step by step, letting promises settle before the first timer and after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    while (this.#fireNext(end)) await settle();
    this.#now = end;
    await settle();
  }

  /** Moves on as far as it takes until the work settles; rejects when nothing is left that could settle it. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    const end = this.#now + MAX_SIMULATED_MS;
    for (let idle = 0; idle < MAX_IDLE_TURNS;) {
      await settle();
      if (isOver) return await work;
      idle = this.#fireNext(end) ? 0 : idle + 1;
    }
    throw new Error(`what is waited for did not come: ${this.#timers.length} timers are left`);
  }

  /** The process was frozen: time has passed and no timer fired. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #fireNext(end: number): boolean {
    const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
    if (next === undefined) return false;
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#now = Math.max(this.#now, next.at);
    next.work();
    return true;
  }
}

/** A turn of the event loop, so that what uses `setImmediate` settles too. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      setImmediate(resolve);
    });
  });
}
