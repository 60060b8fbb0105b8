import type { Database } from '../persistence/client.ts';
import { sweepRuns, type SweepLimits } from '../persistence/sweep-runs.ts';
import type { Logger } from '../telemetry/logger.ts';
import { systemClock, type Clock } from '../time/clock.ts';

export interface SweepOptions extends SweepLimits {
  readonly database: Database;
  readonly logger: Logger;
  /** From the end of one sweep to the next. */
  readonly intervalMs: number;
  /** What follows each sweep, such as deleting what dead runs have stored. */
  readonly tidy?: (signal: AbortSignal) => Promise<unknown>;
  /** The system's when absent. */
  readonly clock?: Clock;
}

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
      await sweepOnce(options, clock, stop.signal);
      if (stop.signal.aborted) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(intervalMs, resolve);
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

async function sweepOnce(options: SweepOptions, clock: Clock, stop: AbortSignal): Promise<void> {
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
  } catch (error) {
    if (!stop.aborted) logger.warn({ err: error }, 'the sweep failed; it is tried again');
  } finally {
    cancel();
    stop.removeEventListener('abort', abort);
  }
}
