import { toFailure } from '../failure/classify.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SystemdNotifier } from '../telemetry/systemd-notify.ts';
import { systemClock, type Clock } from '../time/clock.ts';
import { mayPass } from './preflight/may-pass.ts';

export interface StartWaitOptions {
  /** Of all waiting together, from the first pause on; 0: what is away ends the start. */
  readonly limitMs: number;
  readonly logger: Logger;
  readonly notifier: Pick<SystemdNotifier, 'extendStart'>;
  /** Ends a pause with its reason. */
  readonly signal: AbortSignal;
  /** The system's when absent. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** What a step of the start may take until the next word to systemd: checks with their limits, the models. As the unit's TimeoutStartSec. */
export const EXTENSION_MS = 15 * 60_000;

/**
 * Waits at a start for what may come back, with pauses that double from 2 s to 60 s. The lower half of each is certain and the upper
 * one drawn, so that hosts that lost the same database do not ask it all at once.
 */
export class StartWait {
  readonly #options: StartWaitOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  #since: number | null = null;
  #tries = 0;

  constructor(options: StartWaitOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /** A step of the start begins: it has as much time as any other, and one that stands still is ended by systemd. */
  begins(step: string): void {
    void this.#options.notifier.extendStart(`starting: ${step}`, EXTENSION_MS);
  }

  /** Says what is missing and waits for the next try. False: the time is over. Rejects with the signal's reason. */
  async pause(missing: string): Promise<boolean> {
    const { limitMs, logger, notifier, signal } = this.#options;
    signal.throwIfAborted();
    this.#since ??= this.#clock.now();
    const waitedMs = this.#clock.now() - this.#since;
    if (waitedMs >= limitMs) {
      if (limitMs > 0) logger.error({ waitedSeconds: seconds(waitedMs), missing }, 'waited long enough: giving up');
      return false;
    }
    const full = Math.min(FIRST_PAUSE_MS * 2 ** this.#tries, LONGEST_PAUSE_MS);
    const pauseMs = Math.min(full * (0.5 + this.#random() / 2), limitMs - waitedMs);
    this.#tries += 1;
    const text = `waiting for ${missing}; trying again in ${seconds(pauseMs)} s`;
    logger.warn({ try: this.#tries, waitedSeconds: seconds(waitedMs) }, text);
    // Not awaited: a systemd that does not listen takes its time, and must not take it from a stop.
    void notifier.extendStart(text, EXTENSION_MS);
    await this.#sleep(pauseMs);
    return true;
  }

  /** Opens something, again and again while it fails for what may come back. Rejects with the failure that may not, or the last one. */
  async through<T>(what: string, open: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        const failure = toFailure(error);
        if (!mayPass(failure) || !(await this.pause(`${what} (${failure.message})`))) throw error;
      }
    }
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(ms, resolve);
    const stop = (): void => {
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      await promise;
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
    }
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
