import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killFound, leftOf, lookPatiently, NOT_KILLED } from './left-behind.ts';
import { describeProcess, sendSignal, type ProcessFacts } from './processes.ts';

/**
 * Runs Jest with a limit of its own: a test, a process or a handle that stays would make it wait for ever.
 * `--minutes N` or TEST_MINUTES sets the limit (25) from the start of the first file on; every other argument is Jest's. At the limit it
 * says what is still running and open, kills all of it and ends with 124. What a run leaves behind is killed and named too, and is a failure.
 */
const DEFAULT_MINUTES = 25;
/** Jest's own way to its first file is no test's fault; longer than this it has lost it. */
const START_MS = 5 * 60_000;
const TIMED_OUT = 124;
/** How long a process may take to write down what it has open. */
const ANSWER_MS = 5_000;
const LOOK_MS = 50;
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
    ? limitOf(minutes, folder, late.signal).catch(() => null)
    : new Promise<never>(() => {});
  const how = await Promise.race([ended, limit]);
  if (how === null) {
    console.error(`\nThe tests are not done after ${minutes} minutes (--minutes or TEST_MINUTES sets the limit).`);
    try {
      await sayWhatRuns(folder);
    } catch (error) {
      console.error('what runs cannot be said:', error);
    } finally {
      await killLeft(folder);
    }
    return TIMED_OUT;
  }
  late.abort();
  const [code, signal] = how;
  if (signal !== null) console.error(`\nJest was ended by ${signal}.`);
  const left = await lookPatiently(() => leftOf(folder));
  if (left.length === 0) return code ?? 1;
  console.error(`\nThe tests left behind, and it was killed:\n${list(left)}`);
  await killLeft(folder);
  return code === 0 || code === null ? 1 : code;
}

/** Resolves so many minutes after the first file has begun. */
async function limitOf(minutes: number, folder: string, signal: AbortSignal): Promise<null> {
  const end = performance.now() + START_MS;
  // Every process of tests writes this file first, and it stays.
  const hasBegun = async (): Promise<boolean> => (await readdir(folder)).some((name) => name.endsWith('.open'));
  while (!(await hasBegun()) && performance.now() < end) await sleep(LOOK_MS, null, { signal });
  return await sleep(minutes * 60_000, null, { signal });
}

async function killLeft(folder: string): Promise<void> {
  const stays = await killFound(() => leftOf(folder));
  for (const one of stays) console.error(`${describeProcess(one)}${NOT_KILLED}`);
}

async function sayWhatRuns(folder: string): Promise<void> {
  const open = await askWhatIsOpen(folder);
  const running = (await readdir(folder)).filter((name) => name.endsWith('.running'));
  for (const name of running) {
    const pid = Number.parseInt(name, 10);
    const said = await readRunning(join(folder, name));
    if (said === null) {
      console.error(`still running: a file that is just beginning or ending (process ${pid})`);
    } else {
      const seconds = Math.round((Date.now() - said.since) / 1_000);
      const test = said.test ?? 'between its tests';
      console.error(`still running: ${said.file}, ${test}, for ${seconds} s (process ${pid})`);
    }
  }
  if (running.length === 0) console.error('no test file is running: something that one has left keeps Jest waiting');
  for (const [pid, answer] of open) {
    console.error(`open in process ${pid}: ${answer || 'no answer, its event loop is blocked'}`);
  }
  console.error(`processes:\n${list(await leftOf(folder))}`);
}

/** What keeps each process of tests from ending, empty for those that do not answer. */
async function askWhatIsOpen(folder: string): Promise<Map<number, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.open'));
  // A process that has ended left its file, and its number may be another's now.
  const ours = new Set((await leftOf(folder)).filter(({ isOurs }) => isOurs).map(({ pid }) => pid));
  const able = names.map((name) => Number.parseInt(name, 10)).filter((pid) => ours.has(pid));
  const asked = able.filter((pid) => sendSignal(pid, 'SIGUSR2') === 'sent');
  const end = performance.now() + ANSWER_MS;
  for (;;) {
    const answers = new Map<number, string>();
    for (const pid of asked) answers.set(pid, await readFile(join(folder, `${pid}.open`), 'utf8').catch(() => ''));
    if ([...answers.values()].every((answer) => answer !== '') || performance.now() > end) return answers;
    await sleep(LOOK_MS);
  }
}

/** Null when the file is gone or half written. */
async function readRunning(file: string): Promise<Running | null> {
  return await readFile(file, 'utf8')
    .then((text) => JSON.parse(text) as Running)
    .catch(() => null);
}

function list(processes: readonly ProcessFacts[]): string {
  return processes.map((facts) => `  ${describeProcess(facts)}`).join('\n');
}

process.exitCode = await main();
