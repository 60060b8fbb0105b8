import type { Database } from '../persistence/client.ts';
import { nextLostRun, sweepRuns, type SweepLimits } from '../persistence/sweep-runs.ts';
import type { Logger } from '../telemetry/logger.ts';
import { systemClock, type Clock } from '../time/clock.ts';

export interface SweepOptions extends SweepLimits {
  readonly database: Database;
  readonly logger: Logger;
  /** From the end of one sweep to the next, at most. */
  readonly intervalMs: number;
  /** What follows each sweep, such as deleting what dead runs have stored. */
  readonly tidy?: (signal: AbortSignal) => Promise<unknown>;
  /** How long what looks dead is given to show a sign of life before it is swept; not at all when absent. */
  readonly listenMs?: number;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** A run that shows its signs of life moves its end on all the time. */
const SHORTEST_PAUSE_MS = 5_000;
/** Of one sweep with what follows it. */
const SWEEP_LIMIT_MS = 300_000;

/**
 * Sweeps at once and then again and again, until it is disposed of. A sweep that fails is logged and left to the next one: the worker's
 * jobs find out by themselves that a database is away.
 */
export function startSweep(options: SweepOptions): AsyncDisposable {
  const { clock = systemClock, intervalMs } = options;
  const stop = new AbortController();
  let wake = (): void => {};
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await listen(options, clock, stop.signal);
      const dueMs = await sweepOnce(options, clock, stop.signal);
      if (stop.signal.aborted) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.min(intervalMs, Math.max(dueMs, SHORTEST_PAUSE_MS)), resolve);
        wake = () => {
          cancel();
          resolve();
        };
      });
    }
  };
  const ended = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the sweep was stopped'));
      wake();
      await ended;
    },
  };
}

/** Answers with the milliseconds until there may be something to sweep again. */
async function sweepOnce(options: SweepOptions, clock: Clock, stop: AbortSignal): Promise<number> {
  const { database, logger, tidy } = options;
  const limit = new AbortController();
  const abort = (): void => limit.abort(stop.reason);
  stop.addEventListener('abort', abort, { once: true });
  const cancel = clock.after(SWEEP_LIMIT_MS, () =>
    limit.abort(new DOMException('the sweep took too long', 'TimeoutError')),
  );
  try {
    const { runs, videos } = await sweepRuns(database, options, limit.signal);
    if (runs + videos > 0) logger.warn({ runs, videos }, 'ended what no worker and no message is left of');
    await tidy?.(limit.signal);
    const dueSeconds = await nextLostRun(database, options, limit.signal);
    return dueSeconds === null ? Infinity : dueSeconds * 1_000 + 1_000;
  } catch (error) {
    if (!stop.aborted) logger.warn({ err: error }, 'the sweep failed; it is tried again');
    return Infinity;
  } finally {
    cancel();
    stop.removeEventListener('abort', abort);
  }
}

/**
 * While the database was away nobody could show a sign of life, and at its return every run looks dead: those that are not say so first, or
 * hours of their work would be thrown away.
 */
async function listen(options: SweepOptions, clock: Clock, stop: AbortSignal): Promise<void> {
  const { listenMs = 0, database } = options;
  // A database that does not answer is told by the sweep.
  const dueSeconds = listenMs === 0 ? null : await nextLostRun(database, options, stop).catch(() => null);
  if (dueSeconds === null || dueSeconds > 0) return;
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(listenMs, resolve);
  const leave = (): void => resolve();
  stop.addEventListener('abort', leave, { once: true });
  if (!stop.aborted) await heard;
  cancel();
  stop.removeEventListener('abort', leave);
}
