import { existsSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import type { WorkerEvents } from '../../../src/worker/events.ts';
import { FakeChain, type FakeChainOptions } from '../../harness/fake-chain.ts';
import { childrenOf, childrenWithoutGuard } from '../../harness/processes.ts';
import { SkippingClock } from '../../harness/skipping-clock.ts';
import { SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import { startVideoGround, type VideoGround } from '../../harness/video-ground.ts';
import { createVideoWorker, type VideoWorker, type VideoWorkerOptions } from '../../harness/video-worker.ts';
import { filesInWorkDir } from '../../harness/work-folders.ts';
import { aborted, next } from '../../harness/worker-events.ts';

const SECRET = 'never-to-be-logged';
const LONGEST_LINE = 12_000;
const MINUTE_SECONDS = 60;
let ground: VideoGround;
let lines: string[] = [];
let tests = 0;
let url: string;

beforeAll(async () => {
  ground = await startVideoGround();
});
beforeEach(() => {
  tests += 1;
  lines = [];
  url = ground.sqs.server.createQueue(`videos-${tests}`).queueUrl;
});
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

type Before = NonNullable<FakeChainOptions['before']>;
const workDir = (): string => ground.folder.at(`outer-${tests}`, 'work');

async function create(before: Before | null, change: Partial<VideoWorkerOptions> = {}): Promise<VideoWorker> {
  const script = (): [{ box: [number, number, number, number] }] => [{ box: [8, 8, 32, 48] }];
  const rig = await createVideoWorker({
    endpoint: ground.sqs.endpoint,
    queueUrl: url,
    deadLetterUrl: ground.sqs.server.createQueue(`dead-${tests}`).queueUrl,
    databaseUrl: ground.postgres.url,
    workDir: workDir(),
    logger: createLogger({
      level: 'trace',
      format: 'json',
      name: 'test',
      destination: { write: (line: string) => void lines.push(line) },
    }),
    chain: new FakeChain(script, before === null ? {} : { before }),
    concurrency: 1,
    ...change,
  });
  await rig.s3.send(new CreateBucketCommand({ Bucket: `bucket-${tests}` }));
  return rig;
}

async function put(rig: VideoWorker, key: string, body: Uint8Array): Promise<void> {
  await rig.s3.send(new PutObjectCommand({ Bucket: `bucket-${tests}`, Key: key, Body: body }));
  await send(JSON.stringify({ bucket: `bucket-${tests}`, key }));
}

async function send(body: string): Promise<void> {
  await ground.sqs.clients.control.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
}

test('a job has one private folder and one file in it, whatever its key says, and nothing beside them', async () => {
  const seen: { readonly mode: number; readonly files: readonly string[] }[] = [];
  await using rig = await create(async () => {
    const [path = ''] = await filesInWorkDir(workDir());
    seen.push({ mode: (await stat(path)).mode & 0o777, files: await readdir(path) });
  });
  let deleted = 0;
  const keys = ['../../escaped.mp4', '/etc/escaped.mp4', 'a/b/..\\escaped.mp4', '-i escaped.mp4'];
  for (const key of keys) await put(rig, key, ground.video);
  const all = next(rig.events, 'message:deleted', () => (deleted += 1) === keys.length);
  rig.worker.start();
  await all;
  expect(seen.length).toBeGreaterThanOrEqual(keys.length);
  for (const { mode, files } of seen) expect([mode, files]).toEqual([0o700, ['video']]);
  expect(await filesInWorkDir(workDir())).toEqual([]);
  const around = await readdir(ground.folder.path, { recursive: true });
  expect(around.filter((name) => name.includes('escaped'))).toEqual([]);
  expect(existsSync('/etc/escaped.mp4')).toBe(false);
});

type Ending = (rig: VideoWorker, begun: Promise<void>, clock: SkippingClock) => Promise<unknown>;
const until =
  (name: keyof WorkerEvents): Ending =>
  (rig) =>
    next(rig.events, name);

test.each<[string, Before | null, Ending, Partial<VideoWorkerOptions>]>([
  ['is completed', null, until('message:deleted'), {}],
  [
    'is rejected after its download',
    null,
    until('message:dead-lettered'),
    { processing: { video: { ...SMALL_VIDEO_LIMITS, maxPixels: 10 } } },
  ],
  [
    'waits for what is away',
    () => {
      throw new Failure('NETWORK', 'away');
    },
    until('message:waiting'),
    {},
  ],
  [
    'fails in a way that no rule knows',
    () => {
      throw new TypeError('a mistake');
    },
    until('message:given-back'),
    {},
  ],
  [
    'stops the worker',
    () => {
      throw new Failure('GPU_LOST', 'gone');
    },
    (rig) => next(rig.events, 'worker:state', ({ state }) => state === 'stopped'),
    {},
  ],
  [
    'runs out of time',
    (_s, _n, stop) => aborted(stop).then(() => undefined),
    async (rig, begun, clock) => {
      const ended = next(rig.events, 'message:dead-lettered');
      await begun;
      await clock.skip(6 * MINUTE_SECONDS * 1_000);
      await ended;
    },
    { settings: { maxProcessingSeconds: 5 * MINUTE_SECONDS, visibilitySeconds: 20 * MINUTE_SECONDS } },
  ],
  [
    'is interrupted',
    (_s, _n, stop) => aborted(stop).then(() => undefined),
    async (rig, begun) => {
      await begun;
      await rig.worker.drain('SIGTERM', 0);
    },
    {},
  ],
])('no file and no process is left of a job that %s', async (_what, before, ending, change) => {
  const begun = Promise.withResolvers<void>();
  const files: string[] = [];
  const clock = new SkippingClock();
  const look: Before = async (...asked) => {
    files.push(...(await filesInWorkDir(workDir())));
    begun.resolve();
    await before?.(...asked);
  };
  await using rig = await create(look, { clock, ...change });
  await put(rig, 'a.mp4', ground.video);
  const ended = ending(rig, begun.promise, clock);
  rig.worker.start();
  await ended;
  await rig.worker.drain('end', 60_000);
  if (change.processing === undefined) expect(files.length).toBeGreaterThan(0);
  expect(await filesInWorkDir(workDir())).toEqual([]);
  expect((await childrenOf()).filter(({ name }) => /ffmpeg|ffprobe|prlimit/.test(name))).toEqual([]);
});

test('a job that fails while its decoder is silent is over only when the decoder is gone', async () => {
  const ffmpegPath = ground.folder.at('lingering-ffmpeg');
  // All frames come, and then nothing does: the analysis waits for the next one.
  const lines = ['#!/bin/sh', '[ "$1" = -version ] && exec ffmpeg -version', 'ffmpeg "$@"', 'exec sleep 600', ''];
  await writeFile(ffmpegPath, lines.join('\n'), { mode: 0o755 });
  const last = Promise.withResolvers<void>();
  await using rig = await create(
    async (_stage, sample) => {
      if (sample === 2) last.resolve();
      await last.promise;
      if (sample === 0) throw new TypeError('a mistake');
    },
    { tools: { ffmpegPath, ffprobePath: null } },
  );
  await put(rig, 'a.mp4', ground.video);
  const ended = next(rig.events, 'message:given-back');
  rig.worker.start();
  await ended;
  expect((await childrenWithoutGuard()).filter(({ name }) => /sleep|ffmpeg|sh$/.test(name))).toEqual([]);
});

test('what a worker writes to its log holds no credential, no presigned address and no long body', async () => {
  await using rig = await create(null);
  const presigned = `https://b.s3.amazonaws.com/v.mp4?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE&X-Amz-Signature=${SECRET}`;
  const bodies = [
    JSON.stringify({ bucket: `bucket-${tests}`, key: presigned }),
    JSON.stringify({ bucket: presigned, key: 'a.mp4' }),
    JSON.stringify({ [presigned]: 1 }),
    JSON.stringify({ 'detail-type': `Object ${presigned}`, detail: {} }),
    JSON.stringify({ padding: SECRET.repeat(10_000) }),
    `{"password": "${SECRET}", ${SECRET.repeat(5_000)}`,
    `${'x'.repeat(300_000)}${SECRET}`,
    JSON.stringify({ eventType: SECRET.repeat(1_000), s3: { bucket: 'b', key: 'k' } }),
  ];
  await rig.s3.send(new PutObjectCommand({ Bucket: `bucket-${tests}`, Key: presigned, Body: 'no video' }));
  for (const body of bodies) await send(body);
  let ended = 0;
  const all = next(rig.events, 'message:deleted', () => (ended += 1) === bodies.length);
  rig.worker.start();
  await all;
  expect(lines.length).toBeGreaterThanOrEqual(bodies.length - 1);
  for (const line of lines) {
    expect(line).not.toContain(SECRET);
    expect(line).not.toContain('AKIAIOSFODNN7EXAMPLE');
    expect(line.length).toBeLessThan(LONGEST_LINE);
  }
});
