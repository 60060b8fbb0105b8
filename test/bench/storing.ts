import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startPostgres } from '../harness/postgres.ts';
import type { StoringRun } from './storing-run.ts';

export interface StoringBench {
  readonly server: readonly StoringRun[];
  readonly embedded: readonly StoringRun[];
  /** On the server, the largest against the smallest: 1 where a row costs the same however many there are. */
  readonly speedRatio: number;
}

const SIZES = [10_000, 324_000];
/** Ten persons in each of 15 frames a second, for six hours. */
const LARGE = 3_240_000;

/** Measures how results of several sizes are stored, on a PostgreSQL server of its own and on the embedded one. */
export async function benchStoring({ large = false }: { readonly large?: boolean } = {}): Promise<StoringBench> {
  await using postgres = await startPostgres();
  const server: StoringRun[] = [];
  for (const rows of large ? [...SIZES, LARGE] : SIZES) server.push(await measure(postgres.url, rows));
  const embedded: StoringRun[] = [];
  for (const rows of SIZES) embedded.push(await measure('pglite:memory', rows));
  const [smallest, largest] = [server[0]?.rowsPerSecond ?? 0, server.at(-1)?.rowsPerSecond ?? 0];
  return { server, embedded, speedRatio: Number((largest / smallest).toFixed(2)) };
}

/** One size in a process of its own, so that its peak memory is its own. */
async function measure(url: string, rows: number): Promise<StoringRun> {
  console.error(`${rows} rows on ${url.startsWith('pglite:') ? 'the embedded database' : 'a server'}`);
  const child = fork(join(import.meta.dirname, 'storing-run.ts'), [url, String(rows)]);
  const closed = once(child, 'close');
  const answer = await Promise.race([once(child, 'message'), closed.then(() => null)]);
  await closed;
  if (answer === null || child.exitCode !== 0) throw new Error(`storing ${rows} rows ended with ${child.exitCode}`);
  return answer[0] as StoringRun;
}
