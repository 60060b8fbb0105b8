import { migrateDatabase, migrationStatus } from '../../persistence/migrate.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openConfiguredDatabase } from '../open-parts.ts';
import { say, sayJson } from '../terminal.ts';

const CALL_MS = 60_000;

/** `db migrate`: tells what it applied. */
export async function migrate(): Promise<void> {
  await using database = await openConfiguredDatabase(commandConfig(['database']));
  const applied = await migrateDatabase(database, AbortSignal.timeout(CALL_MS));
  say(applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`);
}

/** `db status`: as JSON; something missing is told by the exit code, too. */
export async function status(): Promise<void> {
  await using database = await openConfiguredDatabase(commandConfig(['database']));
  const found = await migrationStatus(database, AbortSignal.timeout(CALL_MS));
  sayJson(found, 1);
  if (found.pending.length > 0 || found.problems.length > 0) process.exitCode = EXIT_CODES.PREFLIGHT;
}
