import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { recordRejectedMessage } from '../../../src/cli/record-rejected-message.ts';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import { ownOutput } from '../../../src/job/own-output.ts';
import type { Job } from '../../../src/queue/messages/job.ts';
import { parseMessage } from '../../../src/queue/messages/parse-message.ts';
import { uploadFile } from '../../../src/storage/upload-file.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import type { Delivery, ProcessJob } from '../../../src/worker/delivery.ts';
import { FakeChain } from '../../harness/fake-chain.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { createVideoWorker, type VideoWorker } from '../../harness/video-worker.ts';

const idle = new AbortController().signal;
let sqs: SqsServer;
let postgres: TestPostgres;
let folder: Awaited<ReturnType<typeof mediaFolder>>;
let rig: VideoWorker;
let processJob: ProcessJob;
/** Called by the models before they answer. */
let before: () => void;
/** The requests to S3 by the job under test, in their order, those that are sent again too. */
let calls: string[];
/** Persons in every frame. */
let people: number;
/** Called before a request to S3 of the job under test. */
let beforeCall: (commandName: string) => Promise<void>;
let good: Buffer;
let tests = 0;

beforeAll(async () => {
  sqs = await startSqsServer();
  postgres = await startPostgres();
  folder = await mediaFolder();
  const file = join(folder.path, 'video.mp4');
  await makeMedia([...testSource({ size: '64x64', seconds: 2 }), '-c:v', 'mpeg4', file]);
  const queueUrl = sqs.server.createQueue('videos').queueUrl;
  rig = await createVideoWorker({
    endpoint: sqs.endpoint,
    queueUrl,
    deadLetterUrl: queueUrl,
    databaseUrl: postgres.url,
    workDir: join(folder.path, 'work'),
    logger: createLogger({ level: 'silent', format: 'json', name: 'test' }),
    chain: new FakeChain(() => Array.from({ length: people }, () => ({ box: [8, 8, 32, 48], action: 'walking' })), {
      before: () => before(),
    }),
    processing: { maxResultRows: 50, ignores: ownOutput('images') },
    wrap: (made) => (processJob = made),
  });
  await rig.s3.send(new CreateBucketCommand({ Bucket: 'videos' }));
  good = await readFile(file);
  await put('good.mp4', good);
  await put('crowded.mp4', good);
  await put('bad.mp4', Buffer.from('no video at all'));
  rig.s3.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        calls.push(commandName);
        await beforeCall(commandName);
        return await next(args);
      },
    { step: 'deserialize' },
  );
});
beforeEach(() => {
  tests += 1;
  calls = [];
  people = 1;
  before = () => undefined;
  beforeCall = async () => undefined;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await postgres?.stop();
  await sqs?.[Symbol.asyncDispose]();
  await folder?.remove();
});

async function put(key: string, body: Uint8Array, more: object = {}): Promise<void> {
  await sqs.store().send(new PutObjectCommand({ Bucket: 'videos', Key: key, Body: body, ...more }));
}

/** Another content of the same video: whatever follows the last box is passed over. */
function anotherContent(): Buffer {
  return Buffer.concat([good, Buffer.from([0, 0, 0, 8 + 16]), Buffer.from('free'), randomBytes(16)]);
}

async function videosOf(key: string) {
  return await rig.database.prisma.video.findMany({
    where: { key },
    orderBy: { createdAt: 'asc' },
    select: { status: true, failureCode: true },
  });
}

function jobOf(key: string): Job {
  const parsed = parseMessage(JSON.stringify({ bucket: 'videos', key }), {});
  if (parsed.kind !== 'jobs') throw new Error('the message asks for nothing');
  return parsed.jobs[0]!;
}

function run(key: string, changes: Partial<Delivery> = {}, signal = idle): Promise<Disposition> {
  return processJob(
    {
      job: jobOf(key),
      messageId: `message-${tests}`,
      correlationId: `message-${tests}`,
      receiveCount: 1,
      isLastReceive: false,
      confirmLease: async () => undefined,
      ...changes,
    },
    signal,
  );
}

async function lastErrorEvent() {
  return await rig.database.prisma.errorEvent.findFirst({
    orderBy: { id: 'desc' },
    select: { code: true, stage: true, details: true },
  });
}

test('a lease that is found lost before the commit stores nothing and is an interruption, not a failure', async () => {
  const lost = new Interruption('lease-lost', 'gone');
  expect(await run('good.mp4', { confirmLease: () => Promise.reject(lost) })).toEqual({
    kind: 'abandon',
    why: 'lease-lost',
  });
  expect(await lastErrorEvent()).toBeNull();
  expect(await rig.database.prisma.video.findMany({ select: { status: true, attempts: true } })).toEqual([
    { status: 'pending', attempts: 0 },
  ]);
});

test('a lease that is lost while the rows are stored shows nothing of them', async () => {
  const lost = new Interruption('lease-lost', 'gone');
  let asked = 0;
  const confirmLease = () => {
    asked += 1;
    return asked === 1 ? Promise.resolve() : Promise.reject(lost);
  };
  expect(await run('good.mp4', { confirmLease })).toEqual({ kind: 'abandon', why: 'lease-lost' });
  expect(await rig.database.prisma.video.findMany({ select: { status: true, resultRunId: true } })).toEqual([
    { status: 'pending', resultRunId: null },
  ]);
});

test('a video with more people than rows may be stored ends at its first receive, as soon as they are counted', async () => {
  people = 30;
  let frames = 0;
  before = () => (frames += 1);
  expect(await run('crowded.mp4')).toMatchObject({
    kind: 'reject',
    failure: { code: 'RESULT_TOO_LARGE', class: 'permanent', details: { rows: 60, maxRows: 50 } },
  });
  expect(frames).toBeLessThan(2 * 30);
  expect(await lastErrorEvent()).toMatchObject({ code: 'RESULT_TOO_LARGE' });
});

test('a job that runs out of its time is rejected with the stage that it was in', async () => {
  const controller = new AbortController();
  before = () => {
    controller.abort(new Interruption('deadline', 'too long'));
    controller.signal.throwIfAborted();
  };
  expect(await run('good.mp4', {}, controller.signal)).toMatchObject({
    kind: 'reject',
    failure: { code: 'JOB_DEADLINE', stage: 'detection' },
  });
  expect(await lastErrorEvent()).toMatchObject({ code: 'JOB_DEADLINE', stage: 'detection' });
});

test('S3 is asked once what the object is, and once for its bytes', async () => {
  expect(await run('good.mp4')).toEqual({ kind: 'ack', outcome: 'completed' });
  expect(calls).toEqual(['HeadObjectCommand', 'GetObjectCommand']);
});

test('a duplicate of a job that is done asks what the object is and no more', async () => {
  expect(await run('good.mp4')).toEqual({ kind: 'ack', outcome: 'duplicate' });
  expect(calls).toEqual(['HeadObjectCommand']);
});

test('a failure is written down with its stage, as a column and among its details', async () => {
  expect(await run('bad.mp4')).toMatchObject({ kind: 'reject', failure: { code: 'NOT_A_VIDEO', stage: 'probe' } });
  expect(await lastErrorEvent()).toMatchObject({
    code: 'NOT_A_VIDEO',
    stage: 'probe',
    details: { stage: 'probe', lastWords: expect.any(String) },
  });
});

test('an object that is not there leaves the row of its id failed, and an error that names id and worker', async () => {
  const job = { ...jobOf('gone.mp4'), videoId: 'gone1' };
  expect(await run('gone.mp4', { job })).toMatchObject({ kind: 'reject', failure: { code: 'OBJECT_NOT_FOUND' } });
  const video = await rig.database.prisma.video.findFirst({ where: { externalId: 'gone1' } });
  expect(video).toMatchObject({ status: 'failed', failureCode: 'OBJECT_NOT_FOUND', key: 'gone.mp4' });
  expect(await rig.database.prisma.errorEvent.findFirst({ where: { externalId: 'gone1' } })).toMatchObject({
    videoId: video?.id,
    worker: 'worker-a',
    stage: 'head',
  });
});

test('a message that names no job leaves the row of its id failed, and an error with its beginning', async () => {
  const message = {
    messageId: 'broken',
    receiptHandle: 'r',
    body: JSON.stringify({ eventType: 'video-uploaded', video: { id: 'broken1' } }),
    attributes: {},
    receiveCount: 1,
    firstReceivedAt: null,
    groupId: null,
  };
  const failure = new Failure('MESSAGE_FIELD_MISSING', 'no s3 part');
  await recordRejectedMessage(rig.database, message, { failure, worker: 'worker-a' }, AbortSignal.timeout(60_000));
  expect(await rig.database.prisma.video.findFirst({ where: { externalId: 'broken1' } })).toMatchObject({
    status: 'failed',
    failureCode: 'MESSAGE_FIELD_MISSING',
  });
  expect(await rig.database.prisma.errorEvent.findFirst({ where: { externalId: 'broken1' } })).toMatchObject({
    worker: 'worker-a',
    messageId: 'broken',
    excerpt: message.body,
  });
});

test("a shutdown at a message's last receive is written down before the message is rejected", async () => {
  const controller = new AbortController();
  before = () => {
    controller.abort(new Interruption('shutdown', 'drained'));
    controller.signal.throwIfAborted();
  };
  const job = { ...jobOf('good.mp4'), videoId: 'last1' };
  await rig.database.prisma.video.deleteMany({ where: { key: 'good.mp4' } });
  expect(await run('good.mp4', { job, receiveCount: 5, isLastReceive: true }, controller.signal)).toMatchObject({
    kind: 'reject',
    failure: { code: 'INTERRUPTED' },
  });
  expect(await rig.database.prisma.video.findFirst({ where: { externalId: 'last1' } })).toMatchObject({
    status: 'failed',
    failureCode: 'INTERRUPTED',
  });
});

test("a fault of the worker at a message's last receive fails the video with its code, and before that lets it wait", async () => {
  before = () => {
    throw new Failure('GPU_LOST', 'the GPU is gone');
  };
  const job = { ...jobOf('good.mp4'), videoId: 'halt1' };
  const status = async () =>
    await rig.database.prisma.video.findFirst({
      where: { ids: { some: { externalId: 'halt1' } } },
      select: { status: true, failureCode: true },
    });
  expect(await run('good.mp4', { job })).toMatchObject({ kind: 'halt' });
  expect(await status()).toEqual({ status: 'pending', failureCode: 'GPU_LOST' });
  expect(await run('good.mp4', { job, isLastReceive: true })).toMatchObject({ kind: 'halt' });
  expect(await status()).toEqual({ status: 'failed', failureCode: 'GPU_LOST' });
});

test('an object that is not there is known by the first request', async () => {
  expect(await run('missing.mp4')).toMatchObject({
    kind: 'reject',
    failure: { code: 'OBJECT_NOT_FOUND', stage: 'head' },
  });
  // The second one is for the name of what is missing: an answer to HEAD has no body.
  expect(calls).toEqual(['HeadObjectCommand', 'GetObjectCommand']);
});

test('a key that is uploaded again before it was read is analysed with what is there then, and nothing is dead-lettered', async () => {
  await put('again.mp4', anotherContent());
  let uploads = 0;
  beforeCall = async (name) => {
    if (name === 'GetObjectCommand' && uploads++ === 0) await put('again.mp4', anotherContent());
  };
  expect(await run('again.mp4')).toEqual({ kind: 'ack', outcome: 'completed' });
  expect(calls).toEqual(['HeadObjectCommand', 'GetObjectCommand', 'HeadObjectCommand', 'GetObjectCommand']);
  expect(await videosOf('again.mp4')).toEqual([
    { status: 'failed', failureCode: 'OBJECT_CHANGED' },
    { status: 'completed', failureCode: null },
  ]);
});

test('a key that never rests is waited for', async () => {
  await put('restless.mp4', anotherContent());
  beforeCall = async (name) => {
    if (name === 'GetObjectCommand') await put('restless.mp4', anotherContent());
  };
  expect(await run('restless.mp4')).toMatchObject({ kind: 'wait', why: 'object', otherwise: null });
  expect(calls.filter((name) => name === 'HeadObjectCommand')).toHaveLength(3);
});

test('a message that names a content is about no other: the other one has a message of its own', async () => {
  await put('named.mp4', good);
  const head = await sqs.store().send(new HeadObjectCommand({ Bucket: 'videos', Key: 'named.mp4' }));
  beforeCall = async (name) => {
    if (name === 'GetObjectCommand') await put('named.mp4', anotherContent());
  };
  const job = {
    bucket: 'videos',
    key: 'named.mp4',
    versionId: null,
    etag: head.ETag?.replaceAll('"', '') ?? '',
    videoId: null,
    priority: 'normal',
    source: 's3-event',
  } as const;
  expect(await run('named.mp4', { job })).toMatchObject({ kind: 'reject', failure: { code: 'OBJECT_CHANGED' } });
});

test('the mark of a folder is ignored, also where only S3 knows that it has no bytes', async () => {
  await put('folder/', new Uint8Array());
  expect(await run('folder/')).toEqual({ kind: 'ack', outcome: 'ignored' });
  expect(await videosOf('folder/')).toEqual([]);
  await put('full/', Buffer.from('no video at all'));
  expect(await run('full/')).toMatchObject({ kind: 'reject', failure: { code: 'NOT_A_VIDEO' } });
});

test("the worker's own images are ignored: by their key without a question, elsewhere by what they carry", async () => {
  const job = {
    bucket: 'images',
    key: 'highlights/7/1.0s_falling.jpg',
    versionId: null,
    etag: null,
    videoId: null,
    priority: 'normal',
    source: 's3-event',
  } as const;
  expect(await run('any', { job })).toEqual({ kind: 'ack', outcome: 'ignored' });
  expect(calls).toEqual([]);
  const image = { bucket: 'videos', key: 'copied.jpg', contentType: 'image/jpeg' };
  await uploadFile(sqs.store(), image, Buffer.from('image'), idle);
  expect(await run('copied.jpg')).toEqual({ kind: 'ack', outcome: 'ignored' });
  expect(calls).toEqual(['HeadObjectCommand']);
  expect(await videosOf('copied.jpg')).toEqual([]);
});

test.each([
  ['the mark of a folder', 'asked/', Buffer.alloc(0), 'OBJECT_EMPTY'],
  ["one of the worker's own images", 'asked.jpg', Buffer.from('an image'), 'NOT_A_VIDEO'],
])('whoever asks by an id for %s is told that it is no video', async (_what, key, body, code) => {
  await put(key, body, { Metadata: { 'written-by': 'gpu-video-worker' } });
  const job = { ...jobOf(key), videoId: `id of ${key}` };
  expect(await run(key, { job })).toMatchObject({ kind: 'reject', failure: { code } });
  expect(await videosOf(key)).toEqual([{ status: 'failed', failureCode: code }]);
});

test.each(['read', 'stored'])(
  'a run that another one took over before it was %s waits for that one: neither the video nor its message has failed',
  async (before) => {
    const key = `taken before it is ${before}.mp4`;
    await put(key, anotherContent());
    const takeOver = async (): Promise<void> => {
      beforeCall = async () => undefined;
      await rig.database.prisma.analysisRun.updateMany({
        where: { video: { key } },
        data: { aliveUntil: new Date(Date.now() - 60_000) },
      });
      expect(await run(key)).toEqual({ kind: 'ack', outcome: 'completed' });
    };
    if (before === 'read') beforeCall = async (name) => void (name === 'GetObjectCommand' && (await takeOver()));
    const errors = await rig.database.prisma.errorEvent.count();
    let asked = 0;
    const confirmLease = async (): Promise<void> => void (before === 'stored' && asked++ === 0 && (await takeOver()));
    const wait = { kind: 'wait', why: 'object', afterSeconds: 60, detail: expect.any(String), otherwise: null };
    expect(await run(key, { isLastReceive: true, confirmLease })).toEqual(wait);
    expect(await videosOf(key)).toEqual([{ status: 'completed', failureCode: null }]);
    expect(await rig.database.prisma.errorEvent.count()).toBe(errors);
    expect(await run(key)).toEqual({ kind: 'ack', outcome: 'duplicate' });
  },
);
