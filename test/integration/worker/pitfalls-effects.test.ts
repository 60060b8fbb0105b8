import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, type Message } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { listVideos } from '../../../src/persistence/read/videos.ts';
import { loadAnalysis } from '../../../src/persistence/read/stored-analysis.ts';
import { FakeChain, type FakeChainOptions } from '../../harness/fake-chain.ts';
import { startVideoGround, type VideoGround } from '../../harness/video-ground.ts';
import { createVideoWorker, type VideoWorker } from '../../harness/video-worker.ts';
import { aborted, next } from '../../harness/worker-events.ts';

const signal = (): AbortSignal => AbortSignal.timeout(30_000);
let ground: VideoGround;
let tests = 0;
let url: string;
let deadUrl: string;

beforeAll(async () => {
  ground = await startVideoGround();
}, 60_000);
beforeEach(() => {
  tests += 1;
  const { server } = ground.sqs;
  const dead = server.createQueue(`dead-${tests}`);
  const redrive = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: '5' });
  const source = server.createQueue(`videos-${tests}`, { attributes: { RedrivePolicy: redrive } });
  [url, deadUrl] = [source.queueUrl, dead.queueUrl];
});
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

/** One slot: no poll of a worker that stops takes the message that it has just given back. */
function create(workerId: string, before?: FakeChainOptions['before']): Promise<VideoWorker> & { chain: FakeChain } {
  const chain = new FakeChain(
    () => [{ box: [8, 8, 32, 48], action: 'walking' }],
    before === undefined ? {} : { before },
  );
  const made = createVideoWorker({
    endpoint: ground.sqs.endpoint,
    queueUrl: url,
    deadLetterUrl: deadUrl,
    databaseUrl: ground.postgres.url,
    workDir: ground.folder.at('work'),
    logger: pino({ level: 'silent' }),
    chain,
    concurrency: 1,
    processing: { workerId },
  });
  return Object.assign(made, { chain });
}

async function put(rig: VideoWorker, key: string, body: Uint8Array): Promise<void> {
  await rig.s3.send(new CreateBucketCommand({ Bucket: `bucket-${tests}` })).catch(() => undefined);
  await rig.s3.send(new PutObjectCommand({ Bucket: `bucket-${tests}`, Key: key, Body: body }));
}

async function send(key: string): Promise<void> {
  const body = JSON.stringify({ bucket: `bucket-${tests}`, key });
  await ground.sqs.clients.control.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
}

async function deadLetters(visibilitySeconds: number): Promise<Message[]> {
  const answer = await ground.sqs.clients.poll.send(
    new ReceiveMessageCommand({
      QueueUrl: deadUrl,
      MessageAttributeNames: ['All'],
      VisibilityTimeout: visibilitySeconds,
    }),
  );
  return answer.Messages ?? [];
}

/** What SQS's own move task does; the server of the tests has none. */
async function moveBack(): Promise<void> {
  for (const { Body, MessageAttributes, ReceiptHandle } of await deadLetters(60)) {
    await ground.sqs.clients.control.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: Body, MessageAttributes }),
    );
    await ground.sqs.clients.control.send(new DeleteMessageCommand({ QueueUrl: deadUrl, ReceiptHandle }));
  }
}

const videosOf = async (rig: VideoWorker, key: string) =>
  (await listVideos(rig.database, { limit: 100 }, signal())).filter(
    (found) => found.bucket === `bucket-${tests}` && found.key === key,
  );

test('pitfall 14: a second message about a finished object is acknowledged without work, a new content is new work', async () => {
  const making = create('worker-a');
  const { chain } = making;
  await using rig = await making;
  await put(rig, 'a.mp4', ground.video);
  const once = next(rig.events, 'message:deleted');
  await send('a.mp4');
  rig.worker.start();
  await once;
  const calls = chain.calls.length;
  expect(calls).toBeGreaterThan(0);
  const twice = next(rig.events, 'message:deleted');
  await send('a.mp4');
  await twice;
  expect(chain.calls.length).toBe(calls);
  const [stored, ...others] = await videosOf(rig, 'a.mp4');
  expect(others).toEqual([]);
  expect((await loadAnalysis(rig.database, stored!.videoId, signal()))?.analysis.sampling.frames).toBe(3);

  // The bytes of the object decide, not its name: another content has another ETag.
  await put(rig, 'a.mp4', Buffer.concat([ground.video, Buffer.alloc(8)]));
  const thrice = next(rig.events, 'message:deleted');
  await send('a.mp4');
  await thrice;
  expect(chain.calls.length).toBe(2 * calls);
});

test('pitfall 14: while another worker is on an object, a message about it waits under its lease and is not run', async () => {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  await using first = await create('worker-a', async () => {
    begun.resolve();
    await finish.promise;
  });
  const making = create('worker-b');
  const { chain } = making;
  await using second = await making;
  await put(first, 'a.mp4', ground.video);
  await send('a.mp4');
  const done = next(first.events, 'message:deleted');
  first.worker.start();
  await begun.promise;
  const waits = next(second.events, 'message:waiting');
  const duplicate = next(second.events, 'message:deleted');
  await send('a.mp4');
  second.worker.start();
  // The first worker's one slot is busy: it polls for nothing, and only the second can meet the message.
  expect((await waits).why).toBe('object');
  expect([second.worker.busy, second.worker.waiting]).toEqual([0, 1]);
  first.worker.pause();
  finish.resolve();
  await done;
  await duplicate;
  expect(chain.calls).toEqual([]);
  expect(await videosOf(first, 'a.mp4')).toHaveLength(1);
});

test('pitfall 20: an interrupted job burns no attempt of ours, and the next worker begins at once', async () => {
  const begun = Promise.withResolvers<void>();
  {
    await using first = await create('worker-a', async (_stage, _sample, stop) => {
      begun.resolve();
      await aborted(stop);
    });
    await put(first, 'a.mp4', ground.video);
    await send('a.mp4');
    first.worker.start();
    await begun.promise;
    expect(await first.worker.drain('SIGTERM', 0)).toMatchObject({ givenBack: 1, stuck: 0 });
  }
  await using second = await create('worker-b');
  const deleted = next(second.events, 'message:deleted');
  second.worker.start();
  await deleted;
  expect(await videosOf(second, 'a.mp4')).toMatchObject([{ status: 'completed', attempts: 1 }]);
});

test('pitfall 37: what was dead-lettered can be moved back as it is, and a second rejection makes no second set of reasons', async () => {
  await using rig = await create('worker-a');
  await put(rig, 'a.mp4', Buffer.from('no video yet'));
  const rejected = next(rig.events, 'message:deleted');
  await send('a.mp4');
  rig.worker.start();
  await rejected;
  const rejectedAgain = next(rig.events, 'message:deleted');
  await moveBack();
  await rejectedAgain;
  const [copy, ...others] = await deadLetters(0);
  expect(others).toEqual([]);
  const names = Object.keys(copy?.MessageAttributes ?? {});
  expect(names).toHaveLength(8);
  expect(copy?.MessageAttributes?.['failure_code']?.StringValue).toBe('NOT_A_VIDEO');
  expect(copy?.Body).toBe(JSON.stringify({ bucket: `bucket-${tests}`, key: 'a.mp4' }));

  await put(rig, 'a.mp4', ground.video);
  const done = next(rig.events, 'message:deleted');
  await moveBack();
  await done;
  expect(await deadLetters(0)).toEqual([]);
  expect((await videosOf(rig, 'a.mp4')).map(({ status }) => status)).toContain('completed');
});
