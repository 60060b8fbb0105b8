import { cpSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import { enqueueVideo } from '../../src/queue/sqs/enqueue.ts';
import { startLocalStack, type LocalStack } from '../../src/local/stack.ts';
import { uploadVideo } from '../../src/storage/upload-video.ts';
import { openDatabase, type Database } from '../../src/persistence/client.ts';
import { loadAnalysis } from '../../src/persistence/read/stored-analysis.ts';
import { findVideo, listVideos } from '../../src/persistence/read/videos.ts';
import { MEETING_FOLDER } from '../../src/video/tools/socket-pair.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { localS3, localSqs } from '../harness/local-aws.ts';
import { makeMedia, makeSound } from '../harness/media.ts';
import { temporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';

const held = new AsyncDisposableStack();
const signal = new AbortController().signal;

/** Where a worker that was killed had two sockets meet. */
const LEFT_BEHIND = `tmp/${MEETING_FOLDER}aB3456`;

let dir: TemporaryFolder;
let stack: LocalStack;
let database: Database;
let s3: S3Client;
let sqs: SQSClient;
let daemon: DaemonProcess;

const environment = (): Record<string, string> => ({
  ...stack.env,
  DEVICE: 'cpu',
  MODEL_PACK: 'models/demo',
  WORK_DIR: dir.at('work'),
  SQS_WAIT_SECONDS: '1',
});

beforeAll(async () => {
  dir = held.use(await temporaryFolder('daemon-e2e'));
  stack = held.use(await startLocalStack({ dataDir: 'memory', port: 0 }));
  s3 = held.adopt(localS3(stack), (client) => client.destroy());
  sqs = held.adopt(localSqs(stack), (client) => client.destroy());
  database = await openDatabase({ url: stack.databaseUrl, schema: 'video_worker', poolSize: 2 });
  held.defer(() => database.close());
  await renderVideo(dir.at('store.mp4'), signal, 4, 3);
  mkdirSync(dir.at(LEFT_BEHIND), { recursive: true });
  utimesSync(dir.at(LEFT_BEHIND), 0, 0);
  daemon = held.use(new DaemonProcess({ env: { ...environment(), TMPDIR: dir.at('tmp') } }));
  await daemon.says(/"msg":"polling"/);
});

afterAll(async () => {
  await held.disposeAsync();
});

async function put(key: string, body: string | Uint8Array): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: stack.uploadsBucket, Key: key, Body: body }));
}

async function send(body: string): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl: stack.queueUrl, MessageBody: body }));
}

/** Receives from the dead-letter queue until as many messages are there. */
async function deadLetters(count: number): Promise<Map<string, string>> {
  const codes = new Map<string, string>();
  while (codes.size < count) {
    const answer = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: stack.dlqUrl,
        WaitTimeSeconds: 5,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: signal },
    );
    for (const message of answer.Messages ?? []) {
      const attributes = Object.values(message.MessageAttributes ?? {}).map(({ StringValue }) => StringValue ?? '');
      codes.set(message.Body ?? '', attributes.find((value) => /^[A-Z]+(_[A-Z]+)+$/.test(value)) ?? 'no code');
      await sqs.send(new DeleteMessageCommand({ QueueUrl: stack.dlqUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }
  return codes;
}

const s3Event = (key: string): string =>
  JSON.stringify({
    Records: [
      {
        eventName: 'ObjectCreated:Put',
        eventTime: '2026-01-01T00:00:00Z',
        s3: { bucket: { name: stack.uploadsBucket }, object: { key } },
      },
    ],
  });

describe('the daemon on a queue, a store and a database', () => {
  test('has removed at its start what a killed process left among the temporary files', () => {
    expect(existsSync(dir.at(LEFT_BEHIND))).toBe(false);
    expect(daemon.words).toMatch(/"removed":1.*"msg":"folders of sockets/);
  });

  test('turns an upload into rows, and a second message about it into nothing', async () => {
    const key = 'videos/2026/01/01/a store+front.mp4';
    await uploadVideo(s3, { bucket: stack.uploadsBucket, key, contentType: 'video/mp4' }, dir.at('store.mp4'), signal);
    const message = { bucket: stack.uploadsBucket, key, videoId: '4711', priority: 'high' } as const;
    await enqueueVideo(sqs, { queueUrl: stack.queueUrl, ...message }, signal);
    await daemon.says(/"priority":"high".*"msg":"a job begins"/);
    await daemon.says(/"msg":"analysis stored"/);
    const video = await findVideo(database, '4711', signal);
    expect(video).toMatchObject({ status: 'completed', progress: 100, key, attempts: 1 });
    const stored = await loadAnalysis(database, video!.videoId, signal);
    expect(stored!.analysis.tracks.length).toBeGreaterThan(0);
    expect(stored!.analysis.sampling.frames).toBe(6);

    await send(s3Event('videos/2026/01/01/a+store%2Bfront.mp4'));
    await daemon.says(/already analysed/);
    expect(await listVideos(database, { limit: 10 }, signal)).toHaveLength(1);
  });

  test('a video without people is completed with zero persons', async () => {
    const empty = dir.at('grey.mp4');
    await makeMedia(['-f', 'lavfi', '-i', 'color=gray:s=640x360:d=2:r=10', '-pix_fmt', 'yuv420p', empty]);
    await uploadVideo(s3, { bucket: stack.uploadsBucket, key: 'grey.mp4', contentType: 'video/mp4' }, empty, signal);
    await send(JSON.stringify({ bucket: stack.uploadsBucket, key: 'grey.mp4' }));
    await daemon.says(/"msg":"analysis stored"/, 2);
    const video = (await listVideos(database, { limit: 10 }, signal)).find(({ key }) => key === 'grey.mp4');
    expect(video).toMatchObject({ status: 'completed' });
    expect((await loadAnalysis(database, video!.videoId, signal))!.analysis.tracks).toEqual([]);
  });

  test('whatever is wrong with a message or an object ends in the dead-letter queue with its code', async () => {
    const audio = dir.at('audio.mp4');
    await makeSound(audio);
    await put('empty.mp4', '');
    await put('text.mp4', 'this is not a video\n'.repeat(50));
    await put('list.mp4', '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n');
    await uploadVideo(s3, { bucket: stack.uploadsBucket, key: 'audio.mp4', contentType: 'video/mp4' }, audio, signal);
    const flat = (key: string): string => JSON.stringify({ bucket: stack.uploadsBucket, key });
    const expected = new Map([
      ['not json', /^MESSAGE_NOT_JSON$/],
      ['{"hello":1}', /^MESSAGE_UNKNOWN_SHAPE$/],
      [s3Event('bad%ZZkey'), /^MESSAGE_KEY_UNDECODABLE$/],
      [flat('missing.mp4'), /^OBJECT_NOT_FOUND$/],
      [flat('empty.mp4'), /^OBJECT_EMPTY$/],
      [flat('text.mp4'), /^NOT_A_VIDEO$/],
      [flat('list.mp4'), /^(VIDEO_FORMAT_FORBIDDEN|NOT_A_VIDEO)$/],
      [flat('audio.mp4'), /^NO_VIDEO_STREAM$/],
    ]);
    for (const body of expected.keys()) await send(body);
    const codes = await deadLetters(expected.size);
    for (const [body, code] of expected) expect(codes.get(body)).toMatch(code);
    const rows = await database.prisma.errorEvent.findMany({ select: { code: true, stage: true } });
    const recorded = rows.map(({ code }) => code);
    for (const code of codes.values()) expect(recorded).toContain(code);
    expect(Object.fromEntries(rows.map(({ code, stage }) => [code, stage]))).toMatchObject({
      MESSAGE_NOT_JSON: 'message',
      OBJECT_NOT_FOUND: 'head',
      NO_VIDEO_STREAM: 'probe',
    });
  });

  test('drains on SIGTERM, exits 0 and leaves no file behind', async () => {
    expect(await daemon.stop('SIGTERM')).toBe(0);
    const work = dir.at('work');
    expect(existsSync(work) ? readdirSync(work) : []).toEqual([]);
  });
});

test('a wrong configuration names every mistake and exits 1', async () => {
  await using wrong = new DaemonProcess({ env: { CONCURRENCY: 'many', DEVICE: 'tpu' } });
  expect(await wrong.ended).toBe(1);
  expect(wrong.words).toMatch(/CONCURRENCY is "many"/);
  expect(wrong.words).toMatch(/DEVICE is "tpu"/);
  expect(wrong.words).toMatch(/SQS_QUEUE_URL/);
});

test('a machine without the GPU that was asked for is refused, and a pack that does not match its manifest', async () => {
  const pack = dir.at('pack');
  cpSync('models/demo', pack, { recursive: true });
  writeFileSync(join(pack, 'orientation.onnx'), 'broken');
  const env = { ...environment(), DEVICE: 'cuda', PATH: dir.path, MODEL_PACK: pack };
  await using asking = new DaemonProcess({ env });
  expect(await asking.ended).toBe(2);
  expect(asking.words).toMatch(/FAIL GPU/i);
  expect(asking.words).toMatch(/^FAIL model pack .*\n +orientation\.onnx/m);
});
