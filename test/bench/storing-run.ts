import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../src/persistence/client.ts';
import { completeRun } from '../../src/persistence/complete-run.ts';
import { discardUnseenRows } from '../../src/persistence/discard-rows.ts';
import { migrateDatabase } from '../../src/persistence/migrate.ts';
import { analysisOf, startRun } from './persistence.ts';

/** What storing one result of a size costs, in a process that does nothing else. */
export interface StoringRun {
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** Of the main loop, while rows are stored. */
  readonly longestPauseMs: number;
  readonly p99PauseMs: number;
  /** Of the same loop for five seconds with nothing to do: what the machine's other work makes of it. */
  readonly idleLongestPauseMs: number;
  /** From the last chunk to the end of the transaction that shows the rows. */
  readonly switchMs: number;
  /** Resident before the first row: the analysis itself and the process. */
  readonly beforeMiB: number;
  /** The highest afterwards. */
  readonly peakMiB: number;
  /** Of an interrupted run with the same rows. */
  readonly discardedRowsPerSecond: number;
}

const MIB = 2 ** 20;
const [url = '', rows = ''] = process.argv.slice(2);
const signal = AbortSignal.timeout(1_800_000);
await using db = await openDatabase({ url, schema: `storing_${process.pid}` });
await migrateDatabase(db, signal);
const small = await startRun(db, 'warm-up', signal);
await completeRun(db, small, analysisOf(4_000), { highlightsBucket: null }, signal);

const analysis = analysisOf(Number(rows));
const run = await startRun(db, 'measured', signal);
// The collector comes to rest after the making of the analysis, which is no part of what is measured.
await sleep(500);
const idle = monitorEventLoopDelay({ resolution: 1 });
idle.enable();
await sleep(5_000);
idle.disable();
const beforeMiB = process.memoryUsage().rss / MIB;
let peakMiB = beforeMiB;
const memory = setInterval(() => (peakMiB = Math.max(peakMiB, process.memoryUsage().rss / MIB)), 100);
const pauses = monitorEventLoopDelay({ resolution: 1 });
pauses.enable();
const started = performance.now();
let lastChunk = started;
const beforeSwitch = (): Promise<void> => {
  lastChunk = performance.now();
  return Promise.resolve();
};
await completeRun(db, run, analysis, { highlightsBucket: null, beforeSwitch }, signal);
const ended = performance.now();
pauses.disable();
clearInterval(memory);

await db.pool.query(`UPDATE "${db.schema}"."videos" SET "result_run_id" = NULL WHERE "id" = $1`, [run.videoId]);
await db.pool.query(`UPDATE "${db.schema}"."analysis_runs" SET "staged_rows" = 1 WHERE "id" = $1`, [run.runId]);
const discarding = performance.now();
await discardUnseenRows(db, run.videoId, signal);
const figures: StoringRun = {
  rows: Number(rows),
  rowsPerSecond: Math.round(Number(rows) / ((ended - started) / 1000)),
  longestPauseMs: Number((pauses.max / 1e6).toFixed(1)),
  p99PauseMs: Number((pauses.percentile(99) / 1e6).toFixed(1)),
  idleLongestPauseMs: Number((idle.max / 1e6).toFixed(1)),
  switchMs: Math.round(ended - lastChunk),
  beforeMiB: Math.round(beforeMiB),
  peakMiB: Math.round(peakMiB),
  discardedRowsPerSecond: Math.round(Number(rows) / ((performance.now() - discarding) / 1000)),
};
process.send?.(figures);
process.disconnect?.();
