import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openClients } from '../open-clients.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { renderPreflight } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';

/** Each check has a limit of its own, and a large pack takes minutes. */
const NEVER = new AbortController().signal;

/** `preflight`: a check that failed is told by the exit code, too. */
export async function preflight(options: { readonly json?: boolean }): Promise<void> {
  const config = commandConfig([]);
  using clients = openClients(config);
  const result = await runPreflight(config, preflightDeps(config, clients), NEVER);
  process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : renderPreflight(result));
  if (!result.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}
