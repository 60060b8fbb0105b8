import { once } from 'node:events';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Failure } from '../../../src/failure/failure.ts';
import { limitsFor, type PipedChild } from '../../../src/video/tools/child-process.ts';
import type { FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { findSandbox } from '../../../src/video/tools/find-sandbox.ts';
import { LastWords, LineSplitter } from '../../../src/video/tools/last-words.ts';
import { startTool } from '../../../src/video/tools/start-tool.ts';
import { MOST_TASKS } from '../../../src/video/tools/task-limit.ts';
import { endedByForce, suspicionIn } from '../../../src/video/tools/tool-end.ts';
import { describeWithBubblewrap } from '../../harness/bubblewrap.ts';
import { atDepth } from '../../harness/depth.ts';
import { hostileTools } from '../../harness/hostile-decoder.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const LIMITS = limitsFor(600_000, 1, undefined);
const ABSTRACT = `video-worker-test-${process.pid}`;
let work: TemporaryFolder;
let programs: TemporaryFolder;
let without: FfmpegTools;
let within: FfmpegTools;
let listening: readonly Server[];

beforeAll(async () => {
  work = await temporaryFolder('sandbox-work');
  programs = await temporaryFolder('sandbox-programs');
  await writeFile(work.at('video.mp4'), 'the one file');
  await writeFile(work.at('neighbour'), 'of another job');
  without = await hostileTools(programs.path);
  const sandbox = await findSandbox(without, { choice: 'auto', hidden: [work.path] }, never);
  within = { ...without, sandbox };
  listening = [createServer().listen(0, '127.0.0.1'), createServer().listen(`\0${ABSTRACT}`)];
  await Promise.all(listening.map((server) => once(server, 'listening')));
});
afterAll(async () => {
  for (const server of listening) server.close();
  await programs.remove();
  await work.remove();
});

function start(tools: FfmpegTools, ...args: readonly string[]): Promise<PipedChild> {
  return startTool(tools, { tool: 'ffmpeg', args, file: work.at('video.mp4'), limits: LIMITS });
}

async function output(child: PipedChild): Promise<readonly string[]> {
  let text = '';
  child.stderr.resume();
  for await (const chunk of child.stdout.setEncoding('utf8')) text += String(chunk);
  return text.trim().split('\n');
}

/** By the name that it gives itself; a zombie is none. */
async function named(name: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats.filter((stat) => stat.includes(`(${name})`) && !/\) [ZX] /.test(stat));
}

interface Explored {
  readonly facts: ReadonlyMap<string, string>;
  readonly environment: readonly string[];
  readonly descriptors: readonly string[];
}

async function explore(tools: FfmpegTools, folders: readonly string[], lingerer: string): Promise<Explored> {
  const port = (listening[0]?.address() as AddressInfo | undefined)?.port;
  const files = [
    work.at('neighbour'),
    '/etc/hostname',
    '/proc/1/environ',
    `/proc/${process.pid}/environ`,
    tools.ffmpeg,
  ];
  const args = ['explore', ...folders, '--', ...files, '--', String(port), ABSTRACT, lingerer, 'video.mp4'];
  const child = await start(tools, ...args);
  const lines = (await output(child)).map((line) => [
    line.slice(0, line.indexOf(': ')),
    line.slice(line.indexOf(': ') + 2),
  ]);
  await child.exited;
  await child.stop();
  const environment = lines.filter(([what]) => what === 'environment').map(([, value]) => value ?? '');
  const descriptors = lines.filter(([what]) => what === 'descriptor').map(([, value]) => value ?? '');
  return {
    descriptors,
    facts: new Map(lines.map(([what = '', value = '']) => [what, value])),
    environment: environment.toSorted(),
  };
}

describeWithBubblewrap('a decoder that a video has taken over', () => {
  test('starts in a sandbox', () => {
    expect(within.sandbox).toMatchObject({ problem: null, inForce: { hasProc: true, forbidsMore: true } });
  });

  test('finds its one file, and of all else nothing', async () => {
    const folders = ['/video', '/', '/usr/lib', '/dev', '/var/tmp', '/dev/shm', work.path, programs.path];
    const { facts, environment, descriptors } = await explore(within, folders, 'vw-linger-in');
    const told = Object.fromEntries(facts);
    // What the tests themselves were started with has high numbers; 3 is what it reads this from.
    expect(
      descriptors.filter((line) => Number.parseInt(line, 10) < 16).map((line) => line.replace(/[\d:[\]]/g, '')),
    ).toEqual([' /dev/null', ' socket', ' socket', ' /proc//fd']);
    expect(environment).toEqual([
      'AV_LOG_FORCE_NOCOLOR=1',
      'LC_ALL=C',
      'PATH=/usr/local/bin:/usr/bin:/bin',
      'PWD=/video',
    ]);
    // The first process, which waits, and itself.
    expect(told).toMatchObject({ processes: '2', environments: '0' });
    expect(told['CapEff']?.trim()).toBe('0000000000000000');
    expect(told['NoNewPrivs']?.trim()).toBe('1');
    expect(told).toMatchObject({ video: 'video.mp4 12', 'write video': 'EROFS', 'read /etc/passwd': 'ENOENT' });
    expect(told).toMatchObject({
      [`read ${work.at('neighbour')}`]: 'ENOENT',
      'read /etc/hostname': 'ENOENT',
      [`read /proc/${process.pid}/environ`]: 'ENOENT',
      [`read ${within.ffmpeg}`]: 'done',
    });
    expect(told).toMatchObject({ 'connect 127.0.0.1': 'ECONNREFUSED', 'route out': 'ENETUNREACH', resolve: 'failed' });
    expect(told).toMatchObject({ 'connect abstract': 'ECONNREFUSED', 'more namespaces': 'ENOSPC' });
    // The first process is one of its own, and does nothing but wait.
    expect(folders.map((folder) => told[`write ${folder}`])).not.toContain('done');
    expect(told['limits']).toBe(`${LIMITS.memoryBytes} ${LIMITS.cpuSeconds} 0 0`);
    expect(await named('vw-linger-in')).toEqual([]);
    expect(await readdir(work.path)).toEqual(['neighbour', 'video.mp4']);
  });

  test('would have found and reached them without a sandbox', async () => {
    const { facts } = await explore(without, [], 'vw-linger-out');
    const told = Object.fromEntries(facts);
    expect(told).toMatchObject({ 'connect 127.0.0.1': 'done', 'connect abstract': 'done', 'read /etc/passwd': 'done' });
    expect(told).toMatchObject({ [`read ${work.at('neighbour')}`]: 'done', video: 'video.mp4 12' });
    expect(Number(told['processes'])).toBeGreaterThan(2);
    expect(told['limits']).toBe(`${LIMITS.memoryBytes} ${LIMITS.cpuSeconds} 0 0`);
    const left = await named('vw-linger-out');
    for (const stat of left) process.kill(Number.parseInt(stat, 10), 'SIGKILL');
    // What the sandbox is for: a group does not hold what has left it.
    expect(left).toHaveLength(1);
  });

  test('is gone with all that it has started when its stop resolves, whatever it ignores', async () => {
    const child = await start(within, 'linger', 'vw-linger-on');
    child.stderr.resume();
    await once(child.stdout, 'data');
    // It takes its name when it is alone.
    while ((await named('vw-linger-on')).length === 0) await new Promise((wake) => setTimeout(wake, 5));
    await child.stop();
    expect(await named('vw-linger-on')).toEqual([]);
    expect(await child.usage()).toBeNull();
    // It ignored the polite signal.
    expect(await child.exited).toMatchObject({ code: 137, isRelayed: true, isSandboxRefused: false });
  });

  test('is gone when it is stopped while the sandbox is being built', async () => {
    for (let round = 0; round < atDepth(7, 20); round++) {
      const child = await start(within, 'linger', 'vw-linger-so');
      await new Promise((resolve) => setTimeout(resolve, round % 7));
      await child.stop();
      expect(await child.usage()).toBeNull();
      expect(await named('vw-linger-so')).toEqual([]);
    }
  });

  test('has its processor time counted while it lives and when it is gone', async () => {
    const child = await start(within, 'burn');
    child.stderr.resume();
    child.stdout.resume();
    const spent = async (): Promise<number> => (await child.usage())?.cpuMs ?? 0;
    const deadline = performance.now() + 20_000;
    while ((await spent()) < 300 && performance.now() < deadline) await new Promise((wake) => setTimeout(wake, 50));
    const live = await spent();
    expect(live).toBeGreaterThanOrEqual(300);
    const before = await childTicks();
    await child.stop();
    expect(((await childTicks()) - before) * 10).toBeGreaterThanOrEqual(live);
  });
});

describeWithBubblewrap('a decoder that forks', () => {
  /** Of nobody: root's processes are not limited, and others of a user must not count. */
  const NOBODYS = 4_121_235;

  /** The sandbox, begun by a user who is not root. */
  async function ofUser(): Promise<FfmpegTools> {
    const inForce = within.sandbox?.inForce ?? null;
    if (process.getuid?.() !== 0 || inForce === null) return within;
    for (const folder of [work, programs]) await chmod(folder.path, 0o755);
    const program = programs.at('bwrap-of-user');
    const line = `exec setpriv --reuid=${NOBODYS} --clear-groups --pdeathsig KILL ${inForce.program} "$@"`;
    await writeFile(program, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    return { ...within, sandbox: { choice: 'auto', problem: null, inForce: { ...inForce, program } } };
  }

  async function children(child: PipedChild): Promise<string> {
    child.stderr.resume();
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return line.toString().trim();
  }

  test('has so many processes in a sandbox and no more, whatever else its user has', async () => {
    const tools = await ofUser();
    const running = await Promise.all([1, 2].map(() => start(tools, 'fork', '2000')));
    // The first process and itself count, too.
    const expected = `children: ${MOST_TASKS - 2} EAGAIN`;
    expect(await Promise.all(running.map(children))).toEqual([expected, expected]);
    for (const child of running) {
      await child.stop();
      expect(await child.usage()).toBeNull();
    }
  });

  test('does not get there without a limit: it has all that it wants', async () => {
    const tools = await ofUser();
    const { sandbox } = tools;
    const inForce = sandbox?.inForce ? { ...sandbox.inForce, taskLimit: [] } : null;
    const child = await start({ ...tools, sandbox: { choice: 'auto', problem: null, inForce } }, 'fork', '600');
    expect(await children(child)).toBe('children: 600 done');
    await child.stop();
    expect(await child.usage()).toBeNull();
  });
});

/** User and system time of children of this process that have ended, hundredths of a second. */
async function childTicks(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).split(') ').at(-1)?.split(' ') ?? [];
  return Number(fields[13]) + Number(fields[14]);
}

describe('how a tool ended is told the same way in a sandbox and without', () => {
  const ways = [
    ['a crash, after errors', ['segv'], LIMITS, 'VIDEO_DECODE_FAILED'],
    ['a limit of time that is spent', ['burn'], { ...LIMITS, cpuSeconds: 1 }, 'VIDEO_DECODE_TIMEOUT'],
    ['an exit code of its own', ['exit', '3'], LIMITS, null],
    ['an exit code as of ffmpeg', ['exit', '183'], LIMITS, null],
  ] as const;
  describeWithBubblewrap('with bubblewrap', () => {
    test.each(ways)('%s', async (_, args, limits, code) => {
      expect(await endOf(within, args, limits)).toBe(code);
    });
  });
  test.each(ways)('without: %s', async (_, args, limits, code) => {
    expect(await endOf(without, args, limits)).toBe(code);
  });
});

describeWithBubblewrap('a decoder that a video has taken over convicts no host by how it ends', () => {
  test.each([
    ['the code of a sandbox that started nothing', ['exit', '125'], 'HOST_FAULT'],
    ['the code of a program that may not be run', ['exit', '126'], 'TOOL_BROKEN'],
    ['the code of a program that is not there', ['exit', '127'], 'TOOL_BROKEN'],
    ['SIGTERM', ['raise', '15'], 'TOOL_BROKEN'],
    ['SIGKILL', ['raise', '9'], 'TOOL_BROKEN'],
    ['the code of SIGKILL', ['exit', '137'], 'TOOL_BROKEN'],
  ])('%s', async (_, args, suspicion) => {
    const failure = await failureOf(within, args, LIMITS);
    expect(failure).toMatchObject({ code: 'DECODER_INTERRUPTED' });
    expect(failure && suspicionIn(failure)).toBe(suspicion);
  });

  test('but one that kills the sandbox itself was outside of it', async () => {
    const child = await start(within, 'burn');
    child.stderr.resume();
    child.stdout.resume();
    process.kill(child.pid, 'SIGKILL');
    const failure = endedByForce({ tool: 'ffmpeg', exit: await child.exited, words: new LastWords() }, {});
    await child.stop();
    expect(failure).toMatchObject({ code: 'TOOL_BROKEN', class: 'system' });
  });
});

async function endOf(tools: FfmpegTools, args: readonly string[], limits: typeof LIMITS): Promise<string | null> {
  return (await failureOf(tools, args, limits))?.code ?? null;
}

async function failureOf(tools: FfmpegTools, args: readonly string[], limits: typeof LIMITS): Promise<Failure | null> {
  const child = await startTool(tools, { tool: 'ffmpeg', args, file: work.at('video.mp4'), limits });
  const words = new LastWords();
  const lines = new LineSplitter((line) => words.add(line));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => lines.push(chunk));
  child.stdout.resume();
  const exit = await child.exited;
  lines.end();
  await child.stop();
  return endedByForce({ tool: 'ffmpeg', exit, words }, {});
}
