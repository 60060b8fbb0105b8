import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openClients } from '../open-clients.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { preflightLines } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';
import { say, sayJson } from '../terminal.ts';

/** Each check has a limit of its own, and a large pack takes minutes. */
const NEVER = new AbortController().signal;

/** `preflight`: a check that failed is told by the exit code, too. */
export async function preflight(options: { readonly json?: boolean }): Promise<void> {
  const config = commandConfig([]);
  using clients = openClients(config);
  const result = await runPreflight(config, preflightDeps(config, clients), NEVER);
  if (options.json === true) sayJson(result);
  else say(...preflightLines(result));
  if (!result.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}
