import type { LeftBehind } from '../storage/left-behind.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Tells what became of what workers that are gone left in WORK_DIR. */
export function tellLeftBehind(logger: Logger, workDir: string): (left: LeftBehind) => void {
  return ({ removed, kept }) => {
    if (removed > 0) logger.info({ removed }, 'folders of workers that are gone were removed');
    if (kept.length === 0) return;
    logger.warn(
      { workDir, kept },
      'folders in WORK_DIR may be in use for all that can be seen from here, and stay: remove them when no worker runs there',
    );
  };
}
