import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import { startLocalStack, type LocalStack } from '../../src/local/stack.ts';
import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import { runVideoWorker } from '../harness/operator-command.ts';
import type { Ended } from '../harness/run-program.ts';

const dir = mkdtempSync(join(tmpdir(), 'commands-e2e-'));
let stack: LocalStack;

/** With the local stack's variables. */
const videoWorker = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runVideoWorker(args, { ...stack.env, MODEL_PACK: 'models/demo', DEVICE: 'cpu', WORK_DIR: join(dir, 'work'), ...env });

beforeAll(async () => {
  stack = await startLocalStack({ dataDir: 'memory', port: 0 });
  await renderVideo(join(dir, 'store.mp4'), AbortSignal.timeout(180_000), 2, 4);
});

afterAll(async () => {
  await stack?.close();
  rmSync(dir, { recursive: true, force: true });
});

test('db migrate brings a new database up to date, once', async () => {
  expect((await videoWorker(['db', 'migrate'])).stdout).toMatch(/^applied /);
  expect((await videoWorker(['db', 'migrate'])).stdout).toBe('up to date\n');
});

test('enqueue uploads, once analyses, status and report show it', async () => {
  const sent = await videoWorker(['enqueue', join(dir, 'store.mp4'), '--video-id', 'v1']);
  expect(sent).toMatchObject({ code: 0 });
  const object = JSON.parse(sent.stdout) as { bucket: string; key: string };
  const env = { S3_BUCKET: object.bucket, S3_KEY: object.key, VIDEO_ID: 'v1' };
  expect(await videoWorker(['once'], env)).toMatchObject({ code: 0 });
  const { video } = JSON.parse((await videoWorker(['status', 'v1', '--json'])).stdout) as { video: unknown };
  expect(video).toMatchObject({ externalId: 'v1', status: 'completed', progress: 100 });
  const file = join(dir, 'v1.html');
  expect(await videoWorker(['report', 'v1', '--out', file])).toMatchObject({ code: 0 });
  expect(readFileSync(file, 'utf8')).toContain('<h1>v1</h1>');
});

test('once on an object that is not there says the code and fails', async () => {
  const answer = await videoWorker(['once'], { S3_BUCKET: stack.uploadsBucket, S3_KEY: 'nothing.mp4' });
  expect(answer.code).toBe(6);
  expect(answer.stderr).toContain('OBJECT_NOT_FOUND');
});

test('analyze works without queue and database, and its JSON is the documented one', async () => {
  const report = join(dir, 'reports/own.html');
  const answer = await videoWorker(
    ['analyze', join(dir, 'store.mp4'), '--fps', '3', '--json', '-', '--report', report],
    {
      SQS_QUEUE_URL: '',
      DATABASE_URL: '',
    },
  );
  expect(answer).toMatchObject({ code: 0 });
  const analysis = JSON.parse(answer.stdout) as VideoAnalysis;
  expect(analysis).toMatchObject({
    version: 1,
    sampling: { framesPerSecond: 3, frames: 6 },
    video: { width: 1280, height: 720 },
  });
  expect(analysis.frames[1]!.detections.length).toBeGreaterThan(0);
  expect(readFileSync(report, 'utf8')).toContain('data:image/jpeg;base64,');
});

test('models verify tells what is right and what is not', async () => {
  expect(await videoWorker(['models', 'verify'])).toMatchObject({ code: 0 });
  const placed = await videoWorker(['models', 'verify', '--device', 'cuda']);
  expect(placed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok {3}language\.decoder on CUDA: /m) });
  expect(placed.stdout).not.toMatch(/^FAIL/m);
  expect(await videoWorker(['models', 'verify', '--pack', 'test/e2e'])).not.toMatchObject({ code: 0 });
});

test('bad usage is refused with the rule', async () => {
  expect(await videoWorker(['analyze', join(dir, 'no such file.mp4')])).toMatchObject({ code: 6 });
  expect(await videoWorker(['analyze', join(dir, 'store.mp4'), '--fps', 'fast'])).toMatchObject({ code: 1 });
  expect(await videoWorker(['dance'])).toMatchObject({ code: 1 });
});
