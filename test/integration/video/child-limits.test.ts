import { readdir, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startLimited, type ChildExit, type ChildLimits } from '../../../src/video/tools/child-process.ts';
import { decodeFrames, type DecodeOptions } from '../../../src/video/decode/decode.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const NONE: ChildLimits = { cpuSeconds: null, memoryBytes: null };
const limits = SMALL_VIDEO_LIMITS;
const options = SMALL_VIDEO_DECODING;
let folder: TemporaryFolder;
let tools: FfmpegTools;
let video: string;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  video = folder.at('video.mp4');
  await makeMedia([...testSource({ seconds: 2 }), '-c:v', 'mpeg4', video]);
});
afterAll(() => folder.remove());

async function run(script: string, childLimits: ChildLimits): Promise<{ exit: ChildExit; out: string; err: string }> {
  const child = await startLimited('/bin/sh', ['-c', script], folder.path, childLimits);
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const exit = await child.exited;
  await child.stop();
  return { exit, out, err };
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

test('a program that computes for ever is ended by its CPU limit', async () => {
  const { exit } = await run('while :; do :; done', { ...NONE, cpuSeconds: 1 });
  expect(exit.signal).toBe('SIGXCPU');
});

test('a program that wants more memory than its limit does not get it', async () => {
  // Without a line end, tail keeps all that it reads.
  const script = 'head -c 300000000 /dev/zero | tail -n 1 | wc -c';
  const { err } = await run(script, { ...NONE, memoryBytes: 128 * 1024 ** 2 });
  expect(err).toMatch(/memory/i);
  const { out } = await run('echo fits', { ...NONE, memoryBytes: 128 * 1024 ** 2 });
  expect(out).toBe('fits\n');
});

test('a program writes to its pipes, and no byte into a file', async () => {
  const { out } = await run('echo through the pipe; echo into a file >written; wc -c <written', NONE);
  expect(out).toMatch(/^through the pipe/);
  expect(await readdir(folder.path)).toContain('written');
  const { out: size } = await run('wc -c <written', NONE);
  expect(size.trim()).toBe('0');
});

test('a program finds nothing of our environment and nothing to read', async () => {
  process.env['AWS_SECRET_ACCESS_KEY'] = 'never-to-be-seen';
  try {
    const { out } = await run('env; cat', NONE);
    const names = out
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(out).not.toContain('never-to-be-seen');
    const own = new Set(['PWD', 'OLDPWD', 'SHLVL', '_']);
    expect(new Set(names.filter((name) => !own.has(name ?? '')))).toEqual(
      new Set(['AV_LOG_FORCE_NOCOLOR', 'LC_ALL', 'PATH']),
    );
  } finally {
    delete process.env['AWS_SECRET_ACCESS_KEY'];
  }
});

test('arguments reach a program as they are: no shell reads them', async () => {
  const child = await startLimited('/bin/echo', ['$(id)', '`id`', '; touch owned', '*'], folder.path, NONE);
  expect(await textOf(child.stdout)).toBe('$(id) `id` ; touch owned *\n');
  await child.stop();
  expect(await readdir(folder.path)).not.toContain('owned');
});

async function decode(change: Partial<DecodeOptions>): Promise<number> {
  const info = await probeVideo(tools, video, limits, never);
  let frames = 0;
  for await (const _frame of decodeFrames(tools, video, info, { ...options, ...change }, never)) frames += 1;
  return frames;
}

test('a video that the decoder has no memory for is a permanent failure, not one of the host', async () => {
  const large = folder.at('large.mkv');
  await makeMedia([...testSource({ size: '4096x4096', rate: 1, seconds: 1 }), '-c:v', 'ffv1', large]);
  const info = await probeVideo(tools, large, { ...limits, maxPixels: 4096 ** 2 }, never);
  // Enough for ffmpeg to start, and not for pictures of this size.
  const frames = decodeFrames(tools, large, info, { ...options, threads: 1, memoryLimitBytes: 400 * 1024 ** 2 }, never);
  await expect(frames.next()).rejects.toMatchObject({
    code: 'VIDEO_DECODE_FAILED',
    message: expect.stringContaining('more memory'),
  });
  expect(await decode({})).toBe(3);
});

test('a memory limit in which no decoder can start makes the host suspect, and not the video', async () => {
  await expect(decode({ memoryLimitBytes: 32 * 1024 ** 2 })).rejects.toMatchObject({
    class: 'temporary',
    details: { suspect: 'host' },
  });
});

test('a video with more frames than it claims is ended at the limit', async () => {
  await expect(decode({ maxFrames: 5, framesPerSecond: 10 })).rejects.toMatchObject({ code: 'VIDEO_TOO_LONG' });
});

test('a video whose decoding takes too long in total is ended at the limit', async () => {
  const info = await probeVideo(tools, video, limits, never);
  const busy = folder.at('busy');
  // It says something all the time, and never ends.
  await writeFile(busy, '#!/bin/sh\nwhile :; do echo at work >&2; done\n', { mode: 0o700 });
  const stuck = { ...tools, ffmpeg: busy, ffprobe: busy };
  const frames = decodeFrames(stuck, video, info, { ...options, wallTimeoutMs: 3000 }, never);
  const late = { code: 'VIDEO_DECODE_TIMEOUT', class: 'permanent' };
  await expect(frames.next()).rejects.toMatchObject(late);
  await expect(probeVideo(stuck, video, { ...limits, timeoutMs: 3000 }, never)).rejects.toMatchObject(late);
});
