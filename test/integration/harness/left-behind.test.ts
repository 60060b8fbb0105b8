import { spawn } from 'node:child_process';
import { afterEach, expect, jest, test } from '@jest/globals';
import { killAll, killFound, leftOf, lookPatiently, type LeftProcess } from '../../harness/left-behind.ts';
import { owned } from '../../harness/ownership.ts';
import { isRunning, processFacts, sendSignal, untilGone } from '../../harness/processes.ts';
import { runProgram } from '../../harness/run-program.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

/** Goes on when the shell has ended, and says its number. */
const SLEEPS = 'sleep 600 </dev/null >/dev/null 2>&1 & echo $!';
/** Gives `sleep` a terminal, as a person's shell does, and stays elsewhere to hold the other end of it. */
const WITH_TERMINAL = `
import os, pty
if os.fork() == 0:
    child, _ = pty.fork()
    if child == 0: os.execvpe('sleep', ['sleep', '600'], {'PATH': os.environ['PATH'], 'PWD': os.getcwd()})
    os.chdir('/')
    print(child, flush=True)
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2): os.dup2(null, stream)
    os.waitpid(child, 0)
`;

interface Sleepers extends AsyncDisposable {
  readonly pids: readonly number[];
  /** Those of them that count as left. */
  left(folder: string): Promise<LeftProcess[]>;
}

/** Runs a program that leaves `sleep`s behind: they descend from nobody here. */
async function strangers(program: readonly [string, ...string[]], options: object): Promise<Sleepers> {
  const [name, ...args] = program;
  const { stdout } = await runProgram(name, args, { cwd: '/', env: { PATH: process.env['PATH'] }, ...options });
  const found = sleepers(stdout.trim().split('\n').map(Number));
  // A process that is just starting its program shows neither environment nor command line.
  for (const pid of found.pids) while ((await processFacts(pid))?.commandLine !== 'sleep 600');
  return found;
}

function sleepers(pids: readonly number[]): Sleepers {
  return {
    pids,
    left: async (folder) => (await leftOf(folder)).filter(({ pid }) => pids.includes(pid)),
    [Symbol.asyncDispose]: owned('processes that sleep', async () => {
      for (const pid of pids) sendSignal(pid, 'SIGKILL');
      for (const pid of pids) await untilGone(pid);
    }),
  };
}

const sleeper = (): number => spawn('sleep', ['600'], { stdio: 'ignore' }).pid ?? 0;

afterEach(() => {
  jest.restoreAllMocks();
});

test('a process whose environment names the folder is killed with its group', async () => {
  await using folder = await temporaryFolder('left');
  const script = `env -i ${SLEEPS}; ${SLEEPS}`;
  const env = { PATH: process.env['PATH'], TMPDIR: folder.path };
  await using both = await strangers(['sh', '-c', script], { env });
  expect(both.pids).toHaveLength(2);
  const [inGroup = 0, named = 0] = both.pids;
  const left = (await both.left(folder.path)).filter(({ pid }) => pid === named);
  expect(left).toMatchObject([{ isOurs: true }]);
  expect(await killAll(left)).toEqual([]);
  await untilGone(inGroup);
});

test('a process that only works in the folder is killed alone', async () => {
  await using folder = await temporaryFolder('left');
  await using both = await strangers(['sh', '-c', `${SLEEPS}; cd "$0"; ${SLEEPS}`, folder.path], {});
  const [elsewhere = 0, inFolder = 0] = both.pids;
  const left = await both.left(folder.path);
  expect(left).toMatchObject([{ pid: inFolder, isOurs: false }]);
  expect(await killAll(left)).toEqual([]);
  expect(await isRunning(inFolder)).toBe(false);
  expect(await isRunning(elsewhere)).toBe(true);
});

test('a process at a terminal that only works in the folder is left alone', async () => {
  await using folder = await temporaryFolder('left');
  await using atTerminal = await strangers(['python3', '-c', WITH_TERMINAL], { cwd: folder.path });
  expect(atTerminal.pids).toEqual([expect.any(Number)]);
  expect(await atTerminal.left(folder.path)).toEqual([]);
});

test('a process that one look misses is found by the next', async () => {
  await using folder = await temporaryFolder('left');
  await using one = sleepers([sleeper()]);
  let looks = 0;
  const look = async (): Promise<LeftProcess[]> => {
    looks += 1;
    return looks === 1 ? [] : await one.left(folder.path);
  };
  expect(await lookPatiently(look)).toMatchObject(one.pids.map((pid) => ({ pid })));
});

test('what starts while others are killed is killed too', async () => {
  await using folder = await temporaryFolder('left');
  const pids = [sleeper()];
  await using all = sleepers(pids);
  const stays = await killFound(async () => {
    const left = await all.left(folder.path);
    if (pids.length === 1) pids.push(sleeper());
    return left;
  });
  expect(stays).toEqual([]);
  expect(pids).toHaveLength(2);
  for (const pid of pids) expect(await isRunning(pid)).toBe(false);
});

test('a process that we may not kill is named as one that runs on', async () => {
  await using folder = await temporaryFolder('left');
  await using one = sleepers([sleeper()]);
  const left = await one.left(folder.path);
  jest.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  expect(await killFound(() => one.left(folder.path))).toMatchObject([{ pid: left[0]?.pid }]);
  jest.restoreAllMocks();
});
