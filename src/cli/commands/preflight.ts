import type { Command } from 'commander';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openClients } from '../open-parts.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { renderPreflight } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';

/** Each check has a limit of its own, and a large pack takes minutes. */
const NEVER = new AbortController().signal;

export function addPreflight(program: Command): void {
  program
    .command('preflight')
    .description('the checks that the daemon makes before its first receive')
    .option('--json', 'one JSON object')
    .action(preflight);
}

async function preflight(options: { readonly json?: boolean }): Promise<void> {
  const config = commandConfig([]);
  using clients = openClients(config);
  const result = await runPreflight(config, preflightDeps(config, clients), NEVER);
  process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : renderPreflight(result));
  if (!result.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}
