import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Disposition } from '../../../src/failure/disposition.ts';
import { Interruption } from '../../../src/failure/failure.ts';
import { parseMessage } from '../../../src/queue/messages/parse-message.ts';
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
    processing: { maxResultRows: 50 },
    wrap: (made) => (processJob = made),
  });
  await rig.s3.send(new CreateBucketCommand({ Bucket: 'videos' }));
  await put('good.mp4', await readFile(file));
  await put('crowded.mp4', await readFile(file));
  await put('bad.mp4', Buffer.from('no video at all'));
  rig.s3.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        calls.push(commandName);
        return next(args);
      },
    { step: 'deserialize' },
  );
});
beforeEach(() => {
  tests += 1;
  calls = [];
  people = 1;
  before = () => undefined;
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await postgres?.stop();
  await sqs?.[Symbol.asyncDispose]();
  await folder?.remove();
});

async function put(key: string, body: Uint8Array): Promise<void> {
  await rig.s3.send(new PutObjectCommand({ Bucket: 'videos', Key: key, Body: body }));
}

function run(key: string, changes: Partial<Delivery> = {}, signal = idle): Promise<Disposition> {
  const parsed = parseMessage(JSON.stringify({ bucket: 'videos', key }), {});
  if (parsed.kind !== 'jobs') throw new Error('the message asks for nothing');
  return processJob(
    {
      job: parsed.jobs[0]!,
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

test('an object that is not there is known by the first request', async () => {
  expect(await run('missing.mp4')).toMatchObject({
    kind: 'reject',
    failure: { code: 'OBJECT_NOT_FOUND', stage: 'head' },
  });
  // The second one is for the name of what is missing: an answer to HEAD has no body.
  expect(calls).toEqual(['HeadObjectCommand', 'GetObjectCommand']);
});
