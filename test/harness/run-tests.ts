import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killAll } from './left-behind.ts';
import { descendantsOf, describeProcess, processesOf, type ProcessFacts } from './processes.ts';

/**
 * Runs Jest with a limit of its own: a test, a process or a handle that stays would make it wait for ever.
 * `--minutes N` or TEST_MINUTES sets the limit (15); every other argument is Jest's. At the limit it says what is still running and
 * open, kills all of it and ends with 124. What a run leaves behind is killed and named too, and is a failure.
 */
const DEFAULT_MINUTES = 15;
const TIMED_OUT = 124;
/** How long a process may take to write down what it has open. */
const ANSWER_MS = 2_000;
const JEST = resolve(import.meta.dirname, '../../node_modules/jest/bin/jest.js');
// V8's threads share a cache of WebAssembly's wrappers that compiling them anew frees: PGlite crashes with it now and then.
// Jest runs ES modules in vm modules.
const NODE_OPTIONS = [
  '--wasm-wrapper-tiering-budget=2147483647',
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
];

interface Running {
  readonly file: string;
  readonly test: string | null;
  readonly since: number;
}

async function main(): Promise<number> {
  const { minutes, args } = readArguments(process.argv.slice(2));
  const folder = await mkdtemp(join(tmpdir(), 'tests-'));
  // Tests have their temporary files in here, also those of servers that run as another user.
  await chmod(folder, 0o711);
  try {
    return await run(args, minutes, folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function readArguments(given: readonly string[]): { readonly minutes: number; readonly args: readonly string[] } {
  const args = [...given];
  const at = args.indexOf('--minutes');
  const asked = at === -1 ? process.env['TEST_MINUTES'] : args.splice(at, 2)[1];
  const minutes = Number(asked ?? DEFAULT_MINUTES);
  if (!(minutes > 0)) throw new Error(`the limit of a run is a number of minutes, not ${asked}`);
  // Who watches ends the run by hand.
  return { minutes: args.some((arg) => arg.startsWith('--watch')) ? Number.POSITIVE_INFINITY : minutes, args };
}

async function run(args: readonly string[], minutes: number, folder: string): Promise<number> {
  const jest = spawn(process.execPath, [...NODE_OPTIONS, JEST, ...args], {
    env: { ...process.env, TEST_RUN_FOLDER: folder },
    stdio: 'inherit',
  });
  const ended = once(jest, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => jest.kill(signal));
  const late = new AbortController();
  const limit = Number.isFinite(minutes)
    ? sleep(minutes * 60_000, null, { signal: late.signal }).catch(() => null)
    : new Promise<never>(() => {});
  const how = await Promise.race([ended, limit]);
  if (how === null) {
    console.error(`\nThe tests are not done after ${minutes} minutes (--minutes or TEST_MINUTES sets the limit).`);
    await sayWhatRuns(folder, jest.pid ?? 0);
    await killAll([...(await descendantsOf()), ...(await processesOf(folder))]);
    return TIMED_OUT;
  }
  late.abort();
  const [code, signal] = how;
  if (signal !== null) console.error(`\nJest was ended by ${signal}.`);
  const left = [...(await descendantsOf()), ...(await processesOf(folder))].filter(({ isZombie }) => !isZombie);
  if (left.length === 0) return code ?? 1;
  console.error(`\nThe tests left behind, and it was killed:\n${list(left)}`);
  await killAll(left);
  return code === 0 || code === null ? 1 : code;
}

async function sayWhatRuns(folder: string, jest: number): Promise<void> {
  const names = await readdir(folder);
  const alive = new Set((await descendantsOf(jest)).map(({ pid }) => pid).concat(jest));
  // A process that has ended left its file, and its number may be another's now.
  const asked = names.filter((name) => name.endsWith('.open') && alive.has(Number.parseInt(name, 10)));
  for (const name of asked) process.kill(Number.parseInt(name, 10), 'SIGUSR2');
  await sleep(ANSWER_MS);
  const running = names.filter((name) => name.endsWith('.running'));
  for (const name of running) {
    const { file, test, since } = JSON.parse(await readFile(join(folder, name), 'utf8')) as Running;
    const seconds = Math.round((Date.now() - since) / 1_000);
    const pid = Number.parseInt(name, 10);
    console.error(`still running: ${file}, ${test ?? 'between its tests'}, for ${seconds} s (process ${pid})`);
  }
  if (running.length === 0) console.error('no test file is running: something that one has left keeps Jest waiting');
  for (const name of asked) {
    const open = await readFile(join(folder, name), 'utf8');
    console.error(`open in process ${Number.parseInt(name, 10)}: ${open || 'no answer, its event loop is blocked'}`);
  }
  const processes = [...(await descendantsOf(jest)), ...(await processesOf(folder))];
  console.error(`processes:\n${list(processes)}`);
}

function list(processes: readonly ProcessFacts[]): string {
  const lines = new Map(processes.map((facts) => [facts.pid, `  ${describeProcess(facts)}`]));
  return [...lines.values()].join('\n');
}

process.exitCode = await main();
