import type { EventEmitter } from 'node:events';
import type { Logger } from '../telemetry/logger.ts';
import { EXIT_CODES } from '../worker/exit-codes.ts';

export interface CrashPath extends Disposable {
  /** What is done before the process ends; resolves within its own limit. Null: nothing is held. */
  giveBack: (() => Promise<unknown>) | null;
}

const CRASHES = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Ends the process on an error that nothing caught: what is held is given back first. Only the first one counts: one that
 * follows must not cut the giving back short, as Node would on its own. `source` is the process, or an emitter in tests.
 */
export function watchCrashes(source: EventEmitter, logger: Logger, exit: (code: number) => void): CrashPath {
  let isEnding = false;
  const end = async (cause: unknown): Promise<void> => {
    logger.fatal({ err: cause }, 'an error that nothing caught: giving everything back');
    if (isEnding) return;
    isEnding = true;
    try {
      await path.giveBack?.();
    } catch (error) {
      logger.error({ err: error }, 'not everything could be given back');
    }
    exit(EXIT_CODES.CRASH);
  };
  const listen = (cause: unknown): void => {
    void end(cause);
  };
  for (const name of CRASHES) source.on(name, listen);
  const path: CrashPath = {
    giveBack: null,
    [Symbol.dispose]() {
      for (const name of CRASHES) source.off(name, listen);
    },
  };
  return path;
}
