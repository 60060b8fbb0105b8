import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithBubblewrap } from '../../harness/bubblewrap.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { owned } from '../../harness/ownership.ts';
import { descendantsOf } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

/** What may be left of a worker that was killed, and for how long. */
const LIMIT_MS = 1_000;
const SOURCE = join(import.meta.dirname, '../../../src/video');
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await mediaFolder();
  await makeMedia([
    ...testSource({ size: '320x240', rate: 25, seconds: 120 }),
    '-c:v',
    'mpeg4',
    folder.at('video.mp4'),
  ]);
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

async function leftBehind(choice: string, expected: number): Promise<void> {
  const file = folder.at(`${choice}.mjs`);
  await writeFile(file, program(choice));
  const worker = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = owned('the worker', async () => void worker.kill('SIGKILL'));
  const [line] = (await once(createInterface(worker.stdout), 'line')) as [string];
  expect(line).toBe('decoding');
  const tools = await descendantsOf(worker.pid ?? 0);
  expect(tools).toHaveLength(expected);
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

test('a worker that is killed leaves no decoder for longer than a second', () => leftBehind('off', 1));

describeWithBubblewrap('in the sandbox', () => {
  // bubblewrap, the first process of the sandbox and ffmpeg.
  test('nothing is left of it either', () => leftBehind('require', 3));
});
