import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithBubblewrap } from '../../harness/bubblewrap.ts';
import { atDepth } from '../../harness/depth.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { owned } from '../../harness/ownership.ts';
import { descendantsOf, isGuard } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

/** What may be left of a worker that was killed, and for how long. */
const LIMIT_MS = 1_000;
const SOURCE = join(import.meta.dirname, '../../../src/video');
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await mediaFolder();
  await makeMedia([...testSource({ size: '320x240', rate: 25, seconds: 4 }), '-c:v', 'mpeg4', folder.at('video.mp4')]);
});
afterAll(() => folder.remove());

/** It decodes with the real tools, takes one picture and no more: its decoder waits for it, as one does whose worker is busy. */
function program(choice: string): string {
  const from = (file: string): string => JSON.stringify(pathToFileURL(join(SOURCE, file)).href);
  const { pool: _, ...decoding } = SMALL_VIDEO_DECODING;
  const video = JSON.stringify(folder.at('video.mp4'));
  return `
    import { openTools } from ${from('tools/open-tools.ts')};
    import { probeVideo } from ${from('probe/probe.ts')};
    import { decodeFrames } from ${from('decode/decode.ts')};
    import { createFramePool } from ${from('frames/frame-pool.ts')};
    const never = new AbortController().signal;
    const question = { choice: ${JSON.stringify(choice)}, hidden: [] };
    const tools = await openTools({ ffmpegPath: null, ffprobePath: null }, question, never);
    const limits = { ...${JSON.stringify(SMALL_VIDEO_LIMITS)}, maxDurationSeconds: 600, maxFrames: 1e5 };
    const info = await probeVideo(tools, ${video}, limits, never);
    const options = { ...${JSON.stringify(decoding)}, framesPerSecond: 25, maxDurationSeconds: 600, maxFrames: 1e5, pool: createFramePool() };
    const frames = decodeFrames(tools, ${video}, info, options, never);
    await frames.next();
    console.log('decoding');
    setInterval(() => {}, 1000);
  `;
}

/** Begins a worker, and answers when it has said its first word. */
async function startWorker(name: string, text: string): Promise<{ pid: number; end: () => Promise<void> }> {
  const file = folder.at(`${name}.mjs`);
  await writeFile(file, text);
  const worker = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = owned('the worker', async () => void worker.kill('SIGKILL'));
  const [line] = (await once(createInterface(worker.stdout), 'line')) as [string];
  expect(line).toBe('decoding');
  return { pid: worker.pid ?? 0, end };
}

async function leftBehind(choice: string, expected: number): Promise<void> {
  const { pid: workerPid, end } = await startWorker(choice, program(choice));
  const all = await descendantsOf(workerPid);
  const tools = all.filter(({ commandLine }) => !isGuard(commandLine));
  expect(tools).toHaveLength(expected);
  expect(all).toHaveLength(expected + 1);
  const starts = await Promise.all(tools.map(({ pid }) => startOf(pid)));
  // As one that works for long and writes nothing: it does not see that nobody reads.
  for (const { pid } of tools) process.kill(pid, 'SIGSTOP');
  await end();
  const killed = performance.now();
  const left = async (): Promise<readonly string[]> => {
    const now = await Promise.all(tools.map(({ pid }) => startOf(pid)));
    return tools.filter((_, i) => now[i] !== null && now[i] === starts[i]).map(({ commandLine }) => commandLine);
  };
  while ((await left()).length > 0 && performance.now() - killed < LIMIT_MS) {
    await new Promise((wake) => setTimeout(wake, 5));
  }
  expect(await left()).toEqual([]);
}

/** When a process began, by which it is told from another of its number; null where it is gone, but for its parent's look. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return stat === '' || ['Z', 'X'].includes(fields[0] ?? '') ? null : (fields[19] ?? null);
}

/** The command lines that name a time to sleep for, which no other test has. */
async function sleepersFor(time: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.includes(time) && (await startOf(Number(pid))) !== null ? line.replaceAll('\0', ' ') : '';
    }),
  );
  return lines.filter((line) => line !== '');
}

/** Kills a worker, and expects nobody to sleep for long after it. */
async function expectNobodyAfter(end: () => Promise<void>, time: string): Promise<void> {
  await end();
  const killed = performance.now();
  while ((await sleepersFor(time)).length > 0 && performance.now() - killed < LIMIT_MS) {
    await new Promise((wake) => setTimeout(wake, 20));
  }
  expect(await sleepersFor(time)).toEqual([]);
}

let times = 0;
/** A time to sleep for, in seconds. */
function someTime(): string {
  times += 1;
  return `8${process.pid}.${times}`;
}

const KILLS = atDepth(2, 4);

/** Starts one tool after the other, and is killed in the midst of it. */
async function killedWhileStarting(choice: string): Promise<void> {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const time = someTime();
    const from = (file: string): string => JSON.stringify(pathToFileURL(join(SOURCE, file)).href);
    const { end } = await startWorker(
      `starting-${choice}-${kill}`,
      `
      import { openTools } from ${from('tools/open-tools.ts')};
      import { startTool } from ${from('tools/start-tool.ts')};
      const question = { choice: ${JSON.stringify(choice)}, hidden: [] };
      const paths = { ffmpegPath: null, ffprobePath: null };
      const tools = { ...(await openTools(paths, question, new AbortController().signal)), ffmpeg: '/usr/bin/sleep' };
      const limits = { cpuSeconds: 100, memoryBytes: null };
      console.log('decoding');
      for (let i = 0; i < 50; i += 1) {
        void startTool(tools, { tool: 'ffmpeg', args: [${JSON.stringify(time)}], file: null, limits });
        await new Promise((wake) => setTimeout(wake, 4));
      }
      setInterval(() => {}, 1000);`,
    );
    await new Promise((wake) => setTimeout(wake, 30 + (kill * 92) / KILLS));
    await expectNobodyAfter(end, time);
  }
}

/** A sandbox that is being built for ever: who builds it dies with the worker, and what it has begun waits for it. */
function building(time: string): string {
  return `
    import { startLimited } from ${JSON.stringify(pathToFileURL(join(SOURCE, 'tools/child-process.ts')).href)};
    const script = 'sleep ${time} & echo begun; wait';
    const build = async () => {
      const child = await startLimited('/bin/sh', ['-c', script], '/', { cpuSeconds: null, memoryBytes: null });
      await new Promise((resolve) => child.stdout.once('data', resolve));
    };
    await build();
    console.log('decoding');
    process.once('SIGUSR2', build);
    setInterval(() => {}, 1000);`;
}

test('what was begun for a decoder goes with the worker, though only who began it would have', async () => {
  const time = someTime();
  const { end } = await startWorker('building', building(time));
  expect(await sleepersFor(time)).not.toEqual([]);
  await expectNobodyAfter(end, time);
});

test('a guard that was killed is replaced at the next start, and the new one knows of what there was', async () => {
  const time = someTime();
  const { pid, end } = await startWorker('guards', building(time));
  const guards = async (): Promise<number[]> =>
    (await descendantsOf(pid)).filter(({ commandLine }) => isGuard(commandLine)).map((one) => one.pid);
  const [first, ...others] = await guards();
  if (first === undefined) throw new Error('there is no guard');
  expect(others).toEqual([]);
  const before = await sleepersFor(time);
  process.kill(first, 'SIGKILL');
  while ((await startOf(first)) !== null) await new Promise((wake) => setTimeout(wake, 5));
  await new Promise((wake) => setTimeout(wake, 200));
  process.kill(pid, 'SIGUSR2');
  while ((await sleepersFor(time)).length < before.length * 2) await new Promise((wake) => setTimeout(wake, 20));
  expect(await guards()).toHaveLength(1);
  await expectNobodyAfter(end, time);
});

test('nothing is left of decoders that are just being started', () => killedWhileStarting('off'));

test('a worker that is killed leaves no decoder for longer than a second', () => leftBehind('off', 1));

describeWithBubblewrap('in the sandbox', () => {
  // bubblewrap, the first process of the sandbox and ffmpeg.
  test('nothing is left of it either', () => leftBehind('require', 3));

  test('nothing is left of those that are just being built', () => killedWhileStarting('require'));
});
