import type { Command } from 'commander';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openClients } from '../open-parts.ts';
import { preflightDeps } from '../preflight/real-deps.ts';
import { renderPreflight } from '../preflight/render.ts';
import { runPreflight } from '../preflight/run-preflight.ts';

const CALL_MS = 60_000;

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
  const result = await runPreflight(config, preflightDeps(config, clients), AbortSignal.timeout(CALL_MS));
  process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : renderPreflight(result));
  if (!result.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}
