import type { EventEmitter } from 'node:events';
import type { Logger } from '../telemetry/logger.ts';
import { EXIT_CODES } from '../worker/exit-codes.ts';
import { watchSignals } from '../worker/signals.ts';

/** The stop signals of a daemon that has not received anything yet. */
export interface StartSignals extends Disposable {
  /** Aborted by the first stop signal. */
  readonly signal: AbortSignal;
  /** Hands the watch over: nobody listens here any more. Answers with the stop signal that came before; null for none. */
  release(): NodeJS.Signals | null;
}

/** A model that is being loaded cannot be interrupted, and nothing is held that would be lost. */
const UNWIND_MS = 5_000;

/** Watches for stop signals during the start: the first ends it, at the latest after five seconds, a second one at once. */
export function watchStart(source: EventEmitter, logger: Logger, exit: (code: number) => void): StartSignals {
  const stop = new AbortController();
  let stoppedBy: NodeJS.Signals | null = null;
  let timer: NodeJS.Timeout | null = null;
  const unwatch = watchSignals(source, {
    onFirst: (name) => {
      stoppedBy = name;
      logger.warn({ reason: name }, 'stopping: the start is given up');
      timer = setTimeout(exit, UNWIND_MS, EXIT_CODES.CLEAN);
      timer.unref();
      stop.abort(new Error(`stopped by ${name}`));
    },
    onSecond: () => {
      exit(EXIT_CODES.CLEAN);
    },
  });
  const release = (): NodeJS.Signals | null => {
    unwatch();
    if (timer !== null) clearTimeout(timer);
    return stoppedBy;
  };
  return { signal: stop.signal, release, [Symbol.dispose]: release };
}
