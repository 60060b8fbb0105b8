import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { Statistics } from '../../../src/worker/statistics.ts';
import { atDepth } from '../../harness/depth.ts';
import { FakeChain } from '../../harness/fake-chain.ts';
import { startVideoGround, type VideoGround } from '../../harness/video-ground.ts';
import { createVideoWorker, type VideoWorker } from '../../harness/video-worker.ts';
import { CARRIERS, FORMS } from '../../unit/text/secret-corpus.ts';

const PARTS = /Z[qQ][789]/;
/** Each carrier with a password that holds what it can. */
const TEXTS: readonly string[] = [
  ...CARRIERS.map(({ of, without }) => {
    const secrets = ['Zq7@/:#?Zq8/@:?#Zq9', 'Zq7hun Zq8ter', 'Zq7hun/Zq8ter', 'Zq7hunter'];
    return of(secrets.find((secret) => without?.test(secret) !== true) ?? 'Zq7hunter');
  }),
  ...FORMS,
];
/** So many videos share the texts, each with a part of them in its failure. */
const VIDEOS = 4;
const BUCKET = 'uploads';

let ground: VideoGround;
let rig: VideoWorker;
let url: string;
let deadUrl: string;
let log = '';

beforeAll(async () => {
  ground = await startVideoGround(1);
  const { sqs, postgres, folder, video } = ground;
  deadUrl = sqs.server.createQueue('dead').queueUrl;
  url = sqs.server.createQueue('videos').queueUrl;
  let videos = 0;
  const chain = new FakeChain(() => {
    const texts = TEXTS.filter((_, index) => index % VIDEOS === videos % VIDEOS).join('\n');
    videos += 1;
    throw new Failure('VIDEO_DECODE_FAILED', texts, {
      cause: new Error(texts, { cause: Object.assign(new Error('below'), { hint: texts }) }),
      details: { lastWords: texts },
    });
  });
  rig = await createVideoWorker({
    endpoint: sqs.endpoint,
    queueUrl: url,
    deadLetterUrl: deadUrl,
    databaseUrl: postgres.url,
    workDir: folder.at('work'),
    logger: createLogger({
      level: 'trace',
      format: 'json',
      name: 'test',
      destination: { write: (line) => (log += line) },
    }),
    concurrency: 4,
    chain,
  });
  await rig.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (let index = 0; index < VIDEOS; index += 1) {
    await rig.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${index}.mp4`, Body: video }));
  }
}, 60_000);
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

/** Bodies that put a text where a failure may tell of it; one of them for each, in turn. */
function bodiesOf(text: string, number: number): readonly string[] {
  const event = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'b' }, object: { key: { [text]: 1 } } } };
  const all = [
    text,
    `{"note":${JSON.stringify(text)},`,
    JSON.stringify({ [text]: text }),
    JSON.stringify({ note: text, other: 'x'.repeat(200_000) }),
    JSON.stringify({ eventType: 'video-uploaded', s3: { bucket: [text], key: { [text]: text } } }),
    JSON.stringify({ Records: [event] }),
    JSON.stringify({ Type: 'Notification', Message: text }),
    JSON.stringify({ bucket: text, key: text }),
    JSON.stringify({ bucket: BUCKET, key: 'gone.mp4', note: text }),
  ];
  const apart = atDepth(all.length, 3);
  return all.filter((_, index) => index % apart === number % apart);
}

async function attributesOfDeadLetters(): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const { Messages = [] } = await rig.clients.poll.send(
      new ReceiveMessageCommand({
        QueueUrl: deadUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 600,
      }),
    );
    if (Messages.length === 0) return found;
    found.push(...Messages.map(({ MessageAttributes }) => JSON.stringify(MessageAttributes)));
  }
}

test('no secret of the corpus leaves through the log, the tables, the dead letters or the statistics', async () => {
  const statistics = new Statistics(rig.events);
  const bodies = TEXTS.flatMap(bodiesOf);
  const videos = Array.from({ length: VIDEOS }, (_, index) => JSON.stringify({ bucket: BUCKET, key: `${index}.mp4` }));
  const waiting = new Set<string>();
  const all = Promise.withResolvers<void>();
  rig.events.on('message:deleted', ({ messageId }) => {
    waiting.delete(messageId);
    if (waiting.size === 0) all.resolve();
  });
  for (const body of [...bodies, ...videos]) {
    const { MessageId } = await rig.clients.control.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }));
    waiting.add(MessageId ?? '');
  }
  rig.worker.start();
  await all.promise;
  await rig.worker.drain('end', 10_000);

  const errors = await rig.database.prisma.errorEvent.findMany();
  const runs = await rig.database.prisma.analysisRun.findMany();
  const letters = await attributesOfDeadLetters();
  expect(errors.length).toBeGreaterThanOrEqual(bodies.length);
  expect(runs.filter(({ failureReason }) => failureReason?.includes('***'))).toHaveLength(VIDEOS);
  expect(letters).toHaveLength(bodies.length + VIDEOS);
  // The name of an object is whatever its message says: it is the row's own, and shown nowhere else.
  const rows = errors.map(({ bucket: _bucket, key: _key, ...row }) => JSON.stringify(row, stringOfBigInt));
  const sinks = {
    log: log.split('\n'),
    errors: rows,
    runs: runs.map((row) => JSON.stringify(row)),
    'dead letters': letters,
    statistics: [JSON.stringify(statistics.summary())],
  };
  for (const [sink, lines] of Object.entries(sinks)) {
    expect({ sink, shown: lines.filter((line) => PARTS.test(line)) }).toEqual({ sink, shown: [] });
    expect({ sink, isMasked: lines.some((line) => line.includes('***')) }).toEqual({ sink, isMasked: true });
    expect({ sink, longest: Math.max(...lines.map((line) => line.length)) < 60_000 }).toEqual({ sink, longest: true });
  }
  for (const { bucket, key } of errors) {
    expect(Buffer.byteLength(`${bucket}${key}`)).toBeLessThan(1_500);
  }
}, 240_000);

function stringOfBigInt(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
