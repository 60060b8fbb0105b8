import { DeleteMessageBatchCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { openDatabase, type Database } from '../../../src/persistence/client.ts';
import { migrateDatabase } from '../../../src/persistence/migrate.ts';
import { recordRejection } from '../../../src/persistence/record-rejection.ts';
import { sendToDeadLetter } from '../../../src/queue/sqs/dead-letter.ts';
import { readDeadLetters } from '../../../src/queue/sqs/read-dead-letters.ts';
import { videoWorkerHere } from '../../harness/command-in-process.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../../harness/local-aws.ts';
import { runVideoWorker } from '../../harness/operator-command.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';

const held = new AsyncDisposableStack();
const signal = new AbortController().signal;
const MAX_RECEIVES = 2;
let sqs: SqsServer;
let postgres: TestPostgres;
let database: Database;
let deadUrl: string;
let queueUrl: string;
let count = 0;

beforeAll(async () => {
  sqs = held.use(await startSqsServer());
  postgres = held.use(await startPostgres());
  database = held.use(await openDatabase({ url: postgres.url, schema: 'video_worker', poolSize: 2 }));
  await migrateDatabase(database, signal);
});
afterAll(async () => {
  await held.disposeAsync();
});
beforeEach(() => {
  count += 1;
  // A long visibility of its own: what can be received at once was made visible.
  deadUrl = sqs.server.createQueue(`dead-${count}`, { attributes: { VisibilityTimeout: '600' } }).queueUrl;
  const redrive = {
    deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:dead-${count}`,
    maxReceiveCount: MAX_RECEIVES,
  };
  queueUrl = sqs.server.createQueue(`videos-${count}`, {
    attributes: { VisibilityTimeout: '0', RedrivePolicy: JSON.stringify(redrive) },
  }).queueUrl;
});

function environment(changes: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    AWS_REGION: TEST_REGION,
    AWS_ENDPOINT_URL: sqs.endpoint,
    SQS_QUEUE_URL: queueUrl,
    ...changes,
  };
}

/** Received so often that the queue moves it. */
async function moveByReceiving(body: string): Promise<string> {
  const { control, poll } = sqs.clients;
  const sent = await control.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  for (;;) {
    const { Messages = [] } = await poll.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 0 }));
    if (Messages.length === 0) return sent.MessageId ?? '';
  }
}

/** A copy with its reason, as a worker sends it; folded where the original has many attributes. */
async function sendCopy(messageId: string, body: string, attributes: number): Promise<void> {
  const names = Array.from(
    { length: attributes },
    (_, index) => [`a${index}`, { type: 'String', value: 'x' }] as const,
  );
  const message = {
    messageId,
    receiptHandle: 'r',
    body,
    attributes: Object.fromEntries(names),
    receiveCount: 1,
    firstReceivedAt: 1_700_000_000_000,
    groupId: null,
  };
  const failure = new Failure('NOT_A_VIDEO', 'the file is text');
  await sendToDeadLetter(sqs.clients.control, deadUrl, message, {
    failure,
    workerVersion: '1',
    correlationId: messageId,
  });
}

async function visibleInDeadQueue(): Promise<number> {
  const ids = new Set<string>();
  for (;;) {
    const answer = await sqs.clients.poll.send(
      new ReceiveMessageCommand({ QueueUrl: deadUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    const { Messages = [] } = answer;
    if (Messages.length === 0) return ids.size;
    for (const { MessageId = '' } of Messages) ids.add(MessageId);
    const Entries = Messages.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId, ReceiptHandle }));
    await sqs.clients.control.send(new DeleteMessageBatchCommand({ QueueUrl: deadUrl, Entries }));
  }
}

const body = (key: string): string => JSON.stringify({ bucket: 'uploads', key });

test('names, reasons and ids that a stranger chose steer no terminal, forge no line and keep their secrets', async () => {
  const hostile = 'a\u001b[2J\u009b31m\n0 dead letter(s) in forged\u202egpj\u2066';
  const message = { bucket: 'uploads', key: hostile };
  await sendCopy('original-1', JSON.stringify({ ...message, note: 'x' }), 0);
  await sqs.clients.control.send(
    new SendMessageCommand({
      QueueUrl: deadUrl,
      MessageBody: JSON.stringify(message),
      MessageAttributes: {
        failure_code: { DataType: 'String', StringValue: 'NOT_A_VIDEO' },
        // As an older worker wrote it.
        failure_reason: { DataType: 'String', StringValue: 'postgres://worker:hunter2@db/x\nforged\u202e' },
      },
    }),
  );
  // oxlint-disable-next-line no-control-regex
  const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
  // Once as a process of its own, whose output is all that there is.
  const text = await runVideoWorker(['dead-letters'], environment());
  expect(text).toMatchObject({ code: 0 });
  expect(text.stdout).not.toMatch(steering);
  expect(text.stdout).toContain('\\u001b[2J');
  expect(text.stdout).toContain('postgres://***@db/x');
  expect(text.stdout.split('\n').filter((line) => /^(0 dead|forged)/.test(line))).toEqual([]);
  const json = await videoWorkerHere(['dead-letters', '--json'], environment());
  expect(json.stdout).not.toMatch(steering);
  const { queues } = JSON.parse(json.stdout) as { queues: { messages: { objects: { key: string }[] }[] }[] };
  expect(queues[0]?.messages.map(({ objects }) => objects[0]?.key)).toEqual([hostile, hostile]);
});

test('every dead letter is shown once, by code or as moved by the queue, and is still there afterwards', async () => {
  const moved = await moveByReceiving(body('moved.mp4'));
  await sendCopy('original-1', body('text.mp4'), 0);
  await sendCopy('original-2', 'no JSON', 8);
  await recordRejection(
    database,
    { messageId: 'original-2', failure: new Failure('MESSAGE_NOT_JSON', 'the body is no JSON'), isFinal: true },
    signal,
  );
  const run = await videoWorkerHere(['dead-letters', '--json'], environment({ DATABASE_URL: postgres.url }));
  expect(run).toMatchObject({ code: 0 });
  const { queues } = JSON.parse(run.stdout) as { queues: { messages: Record<string, unknown>[] }[] };
  expect(queues).toHaveLength(1);
  expect(queues[0]).toMatchObject({ queue: deadUrl, isWhole: true });
  const byOriginal = new Map(queues[0]?.messages.map((message) => [message['originalMessageId'], message]));
  expect(byOriginal.size).toBe(3);
  expect(byOriginal.get(moved)).toMatchObject({
    messageId: moved,
    written: null,
    movedAfter: MAX_RECEIVES,
    objects: [{ bucket: 'uploads', key: 'moved.mp4' }],
    known: { errors: [], videos: [] },
  });
  expect(byOriginal.get('original-1')).toMatchObject({
    written: { code: 'NOT_A_VIDEO', class: 'permanent', reason: 'the file is text', attempt: 1 },
    firstReceivedAt: '2023-11-14T22:13:20.000Z',
    objects: [{ bucket: 'uploads', key: 'text.mp4' }],
  });
  expect(byOriginal.get('original-2')).toMatchObject({
    written: { code: 'NOT_A_VIDEO', attempt: 1 },
    objects: [],
    known: { errors: [{ messageId: 'original-2', code: 'MESSAGE_NOT_JSON' }] },
  });
  expect(await visibleInDeadQueue()).toBe(3);
}, 60_000);

test('as text it says that no reason was left, and after how many receives; without a database it goes without', async () => {
  const moved = await moveByReceiving(body('moved.mp4'));
  const run = await videoWorkerHere(['dead-letters'], environment({ DATABASE_URL: 'postgres://worker@127.0.0.1:1/w' }));
  expect(run).toMatchObject({ code: 0 });
  expect(run.stdout).toContain(`1 dead letter(s) in ${deadUrl}`);
  expect(run.stdout).toContain(moved);
  expect(run.stdout).toContain(`no reason was left: the queue moved it after ${MAX_RECEIVES} receives`);
  expect(run.stdout).toContain('s3://uploads/moved.mp4');
  expect(run.stderr).toContain('without the database: ');
}, 60_000);

test('more than one batch is read whole, and no more than asked for', async () => {
  for (let index = 0; index < 23; index += 1) await sendCopy(`m${index}`, body(`${index}.mp4`), 0);
  const whole = await readDeadLetters(sqs.clients.control, deadUrl, { limit: 100, signal });
  expect(whole.isWhole).toBe(true);
  expect(new Set(whole.letters.map(({ messageId }) => messageId)).size).toBe(23);
  const some = await readDeadLetters(sqs.clients.control, deadUrl, { limit: 12, signal });
  expect(some.isWhole).toBe(false);
  expect(some.letters).toHaveLength(12);
  expect(await visibleInDeadQueue()).toBe(23);
}, 60_000);

test('what was hidden is visible again when the reading is stopped', async () => {
  await sendCopy('m1', body('1.mp4'), 0);
  const stop = new AbortController();
  const { control } = sqs.clients;
  // Stops the reading when it has hidden what there is, and waits for more.
  const unwatch = setInterval(() => {
    const inspected = sqs.server.inspectQueue(`dead-${count}`)?.messages;
    if (inspected?.inflight.length === 1) stop.abort(new Error('stopped'));
  }, 5);
  try {
    const reading = readDeadLetters(control, deadUrl, { limit: 10, signal: stop.signal });
    await expect(reading).rejects.toThrow('stopped');
  } finally {
    clearInterval(unwatch);
  }
  expect(await visibleInDeadQueue()).toBe(1);
}, 60_000);

test.each([
  ['no queue is named', [], { SQS_QUEUE_URL: '' }, /no dead-letter queue is known/],
  ['the queue is one that workers take from', ['--queue', 'SELF'], {}, /a queue that workers take from/],
  ['the limit is no number', ['--limit', 'all'], {}, /--limit is "all"/],
])(
  'it refuses where %s',
  async (_, args, changes, words) => {
    const given = args.map((arg) => (arg === 'SELF' ? queueUrl : arg));
    const run = await videoWorkerHere(['dead-letters', ...given], environment(changes));
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(words);
  },
  60_000,
);
