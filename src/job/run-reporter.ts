import { Failure } from '../failure/failure.ts';
import type { Database } from '../persistence/client.ts';
import type { Run } from '../persistence/claim-run.ts';
import { keepAlive } from '../persistence/keep-alive.ts';
import { saveProgress } from '../persistence/save-progress.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface RunReporterOptions {
  readonly database: Database;
  readonly run: Run;
  readonly aliveSeconds: number;
  readonly logger: Logger;
}

export interface RunReporter extends AsyncDisposable {
  /** Fires when the database says that another run holds the fencing token. */
  readonly signal: AbortSignal;
  /** Latest wins, though a percentage never goes back; written at most once at a time, so a slow database drops steps instead of queueing them. */
  report(progress: { readonly percent: number; readonly stage: string }): void;
  /**
   * Runs what ends the run. Progress is over by then, and the signs of life that go on no longer abort: the database
   * calls a run that has just ended no longer its own, and the commit itself finds out whether it may.
   */
  ending<T>(commit: () => Promise<T>): Promise<T>;
}

const CALL_TIMEOUT_MS = 10_000;

/**
 * Tells the database that the run is alive and how far it is. Progress is a courtesy: a failed write is logged and
 * forgotten. A lost fencing token is not: it aborts the run.
 */
export function createRunReporter(options: RunReporterOptions): RunReporter {
  const superseded = new AbortController();
  let percent = 0;
  let latest: { readonly percent: number; readonly stage: string } | null = null;
  let writing: Promise<void> | null = null;
  let ends = false;

  const guard = async (work: () => Promise<boolean>): Promise<void> => {
    try {
      const held = await work();
      // One that waited behind the commit finds a finished run.
      if (held || ends) return;
      superseded.abort(new Failure('RUN_SUPERSEDED', 'another run holds the fencing token of this job'));
    } catch (error) {
      options.logger.warn({ err: error }, 'progress could not be written');
    }
  };
  const drain = async (): Promise<void> => {
    while (latest !== null) {
      const progress = latest;
      latest = null;
      await guard(() => saveProgress(options.database, options.run, progress, AbortSignal.timeout(CALL_TIMEOUT_MS)));
    }
    writing = null;
  };
  const timer = setInterval(
    () => {
      void guard(() =>
        keepAlive(options.database, options.run, options.aliveSeconds, AbortSignal.timeout(CALL_TIMEOUT_MS)),
      );
    },
    (options.aliveSeconds * 1000) / 3,
  );

  return {
    signal: superseded.signal,
    report(progress) {
      if (ends) return;
      // The first frames of a long video are less than what its probe was worth.
      percent = Math.max(percent, progress.percent);
      latest = { percent, stage: progress.stage };
      writing ??= drain();
    },
    async ending(commit) {
      ends = true;
      latest = null;
      await writing;
      return await commit();
    },
    async [Symbol.asyncDispose]() {
      ends = true;
      latest = null;
      clearInterval(timer);
      await writing;
    },
  };
}
