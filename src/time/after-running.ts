import type { Clock } from './clock.ts';

export interface RunningTimer {
  /** How long the process has run since the time began, or began again. */
  readonly ranMs: number;
  /** Begins again from the start. */
  restart(): void;
  cancel(): void;
}

const LONGEST_TICK_MS = 15_000;
const SHORTEST_TICK_MS = 100;
/** What stands still again and again must end some time. */
const MAX_PAUSES = 20;
/** A busy event loop is late by less. */
const PAUSE_MS = 1_000;

/**
 * Calls `work` once when this process has run for `ms`. A timer that comes late proves nothing: after a pause (a frozen process, a
 * migrated or suspended machine, a debugger) the time begins again, so that what is limited gets all of it.
 */
export function afterRunning(clock: Clock, ms: number, work: () => void): RunningTimer {
  const tickMs = Math.min(Math.max(ms / 20, SHORTEST_TICK_MS), LONGEST_TICK_MS);
  let ranMs = 0;
  let from = 0;
  let waitMs = 0;
  let pauses = 0;
  let cancel = (): void => {};
  const ranSoFarMs = (): number => {
    const tookMs = clock.now() - from;
    return isPause(tookMs) ? 0 : ranMs + tookMs;
  };
  const isPause = (tookMs: number): boolean => pauses < MAX_PAUSES && tookMs > waitMs + Math.max(tickMs, PAUSE_MS);
  const next = (): void => {
    waitMs = Math.max(0, Math.min(tickMs, ms - ranMs));
    from = clock.now();
    cancel = clock.after(waitMs, () => {
      ranMs = ranSoFarMs();
      if (isPause(clock.now() - from)) pauses += 1;
      if (ranMs >= ms) {
        from = clock.now();
        work();
      } else next();
    });
  };
  next();
  return {
    get ranMs() {
      return ranSoFarMs();
    },
    restart() {
      cancel();
      ranMs = 0;
      next();
    },
    cancel: () => {
      cancel();
    },
  };
}
