import type { Config } from '../config/config.ts';
import { preflightLines } from './preflight/render.ts';
import { repeatPreflight, runPreflight, type PreflightDeps, type PreflightReport } from './preflight/run-preflight.ts';
import type { StartWait } from './start-wait.ts';

/**
 * Makes the checks, and those of services again while they fail for what may come back and nothing else is wrong. The last report says
 * whether the worker may start. `write` gets the first report and, where it was not the last, that one too.
 */
export async function passPreflight(
  config: Config,
  deps: PreflightDeps,
  wait: StartWait,
  write: (...lines: readonly string[]) => void,
  signal: AbortSignal,
): Promise<PreflightReport> {
  const first = await runPreflight(config, deps, signal);
  signal.throwIfAborted();
  write(...preflightLines(first));
  let report = first;
  // A bucket that is away is a warning, and waited for all the same: where it is, the videos are as well.
  while (isWorthWaiting(report) && (await wait.pause(missingIn(report)))) {
    report = await repeatPreflight(report, config, deps, signal);
    signal.throwIfAborted();
  }
  if (report !== first) write(...preflightLines(report));
  return report;
}

/** Something is away, and nothing is wrong that would still be when it is back. */
function isWorthWaiting({ checks }: PreflightReport): boolean {
  return checks.some((check) => check.mayPass) && checks.every((check) => check.status !== 'fail' || check.mayPass);
}

function missingIn({ checks }: PreflightReport): string {
  return checks
    .filter((check) => check.mayPass)
    .map(({ name, detail }) => `${name} (${detail})`)
    .join(', ');
}
