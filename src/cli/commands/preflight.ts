import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openClients } from '../open-clients.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { preflightLines } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';
import { say, sayJson } from '../terminal.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * `preflight`: a check that failed is told by the exit code, too. Each has a limit of its own, and a large pack takes minutes: who does not
 * wait for it has the rest told as not made, and nothing is left of those under way.
 */
export async function preflight(options: { readonly json?: boolean }): Promise<void> {
  const config = commandConfig([]);
  using clients = openClients(config);
  const stopped = new AbortController();
  for (const name of STOP_SIGNALS) process.once(name, () => stopped.abort(new Error(`stopped by ${name}`)));
  const result = await runPreflight(config, preflightDeps(config, clients), stopped.signal);
  if (options.json === true) sayJson(result);
  else say(...preflightLines(result));
  if (!result.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}
