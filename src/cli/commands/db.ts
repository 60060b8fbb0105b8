import { migrateDatabase, readiness } from '../../persistence/migrate.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { openConfiguredDatabase } from '../open-parts.ts';
import { say, sayJson } from '../terminal.ts';

const CALL_MS = 60_000;
/** Of large tables an index takes minutes. */
const MIGRATION_MS = 1_800_000;

/** `db migrate`: tells what it applied. */
export async function migrate(): Promise<void> {
  await using database = await openConfiguredDatabase(commandConfig(['database']));
  const applied = await migrateDatabase(database, AbortSignal.timeout(MIGRATION_MS));
  say(applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`);
}

/** `db status`: as JSON; something missing is told by the exit code, too. */
export async function status(): Promise<void> {
  await using database = await openConfiguredDatabase(commandConfig(['database']), true);
  const found = await readiness(database, AbortSignal.timeout(CALL_MS));
  sayJson(found, 1);
  const { pending, problems, lackingRights = [] } = found;
  if (pending.length + problems.length + lackingRights.length > 0) process.exitCode = EXIT_CODES.PREFLIGHT;
}
