import { readFile } from 'node:fs/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  type MessageAttributeValue,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { openDatabase, type Database } from '../../src/persistence/client.ts';
import { migrateDatabase } from '../../src/persistence/migrate.ts';
import { findVideo, type VideoRecord } from '../../src/persistence/read/videos.ts';
import { readDeadLetters, type DeadLetter } from '../chaos/dead-letters.ts';
import { DaemonProcess } from './daemon-process.ts';
import { createFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { TEST_ACCOUNT, TEST_CREDENTIALS, TEST_REGION } from './local-aws.ts';
import { runVideoWorker } from './operator-command.ts';
import { owned } from './ownership.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import { renderOnce } from './render-once.ts';
import type { Ended } from './run-program.ts';
import { startSqsProcess } from './sqs-process.ts';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

/** A queue with a redrive policy, behind a proxy of its own that counts how often each message was received. */
export interface Lane extends AsyncDisposable {
  readonly url: string;
  readonly deadLetterUrl: string;
  readonly proxy: FaultProxy;
  readonly env: Readonly<Record<string, string>>;
  /** By message. */
  readonly receives: ReadonlyMap<string, number>;
  /** Ends the lease of whoever received the message last, as if its time were over. */
  endLease(messageId: string): Promise<void>;
  send(body: unknown, attributes?: Readonly<Record<string, string>>): Promise<string>;
  /** Takes what is in the dead-letter queue. */
  deadLetters(): Promise<DeadLetter[]>;
  /** Messages that are visible and that somebody holds. */
  depth(): Promise<{ readonly visible: number; readonly held: number }>;
}

/** The servers that daemons work on, and the operator's commands. */
export interface DaemonGround extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly postgres: TestPostgres;
  readonly database: Database;
  readonly s3: S3Client;
  readonly endpoint: string;
  /** Another content than that which `put` puts. */
  readonly otherClip: Uint8Array;
  /** A queue of its own for one test. */
  lane(name: string, maxReceives: number): Promise<Lane>;
  put(key: string, body?: Uint8Array | string): Promise<void>;
  /** What a daemon on this lane finds in its environment. */
  env(lane: Lane, more?: Readonly<Record<string, string>>): Record<string, string>;
  start(lane: Lane, more?: Readonly<Record<string, string>>): DaemonProcess;
  command(lane: Lane, ...args: readonly string[]): Promise<Ended>;
  status(id: string): Promise<VideoRecord | null>;
}

export const UPLOADS = 'videos';

const IDLE = new AbortController().signal;

export async function startDaemonGround(): Promise<DaemonGround> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder('daemon-ground'));
  const postgres = cleanup.use(await startPostgres());
  const database = await openDatabase({ url: postgres.url, schema: 'video_worker', poolSize: 2 });
  cleanup.defer(() => database.close());
  await migrateDatabase(database, AbortSignal.timeout(60_000));
  const aws = cleanup.use(await startSqsProcess({ buckets: [UPLOADS] }));
  const [clip, otherClip] = await Promise.all([
    renderClip(folder.at('clip.mp4'), 6),
    renderClip(folder.at('other.mp4'), 24),
  ]);
  const done = cleanup.move();
  const env: DaemonGround['env'] = (lane, more = {}) => ({
    ...lane.env,
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    AWS_REGION: TEST_REGION,
    AWS_ENDPOINT_URL_S3: aws.endpoint,
    S3_FORCE_PATH_STYLE: 'on',
    SQS_WAIT_SECONDS: '1',
    VISIBILITY_TIMEOUT_SECONDS: '10',
    MAX_RETRY_DELAY_SECONDS: '2',
    CIRCUIT_MAX_PAUSE_SECONDS: '3',
    RUN_ALIVE_SECONDS: '10',
    DRAIN_SECONDS: '2',
    DATABASE_URL: postgres.url,
    HIGHLIGHT_ACTIONS: 'off',
    SCENE: 'off',
    MODEL_PACK: 'models/demo',
    DEVICE: 'cpu',
    CPU_THREADS: '1',
    WORK_DIR: folder.at('work'),
    ...more,
  });
  return {
    folder,
    postgres,
    database,
    s3: aws.store,
    endpoint: aws.endpoint,
    otherClip,
    lane: (name, maxReceives) => makeLane(aws.clients.control, { name, maxReceives, port: aws.port }),
    put: async (key, body = clip) => {
      await aws.store.send(new PutObjectCommand({ Bucket: UPLOADS, Key: key, Body: Buffer.from(body) }));
    },
    env,
    start: (lane, more) => new DaemonProcess({ env: env(lane, more) }),
    command: (lane, ...args) => runVideoWorker(args, env(lane)),
    status: (id) => findVideo(database, id, IDLE),
    [Symbol.asyncDispose]: owned(`the ground of daemons at ${aws.endpoint}`, () => done.disposeAsync()),
  };
}

async function renderClip(file: string, from: number): Promise<Buffer> {
  await renderOnce(file, AbortSignal.timeout(60_000), 1.4, from);
  return await readFile(file);
}

interface LaneOptions {
  readonly name: string;
  readonly maxReceives: number;
  readonly port: number;
}

async function makeLane(sqs: SQSClient, { name, maxReceives, port }: LaneOptions): Promise<Lane> {
  const deadName = `${name}-dead`;
  await sqs.send(new CreateQueueCommand({ QueueName: deadName, Attributes: { MessageRetentionPeriod: '1209600' } }));
  const deadLetterTargetArn = `arn:aws:sqs:${TEST_REGION}:${TEST_ACCOUNT}:${deadName}`;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: String(maxReceives) });
  await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: '30', RedrivePolicy } }));
  const receives = new Map<string, number>();
  const handles = new Map<string, string>();
  const proxy = await createFaultProxy('127.0.0.1', port, (chunk) => {
    for (const message of chunk.toString('latin1').split('"MessageId"').slice(1)) {
      const id = /^:"([^"]+)"/.exec(message)?.[1];
      const count = /"ApproximateReceiveCount":"(\d+)"/.exec(message)?.[1];
      if (id === undefined || count === undefined) continue;
      receives.set(id, Number(count));
      handles.set(id, /"ReceiptHandle":"([^"]+)"/.exec(message)?.[1] ?? '');
    }
  });
  const urlOf = (queue: string, at: number): string => `http://127.0.0.1:${at}/${TEST_ACCOUNT}/${queue}`;
  const url = urlOf(name, port);
  const deadLetterUrl = urlOf(deadName, port);
  return {
    url,
    deadLetterUrl,
    proxy,
    receives,
    env: {
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${proxy.port}`,
      SQS_QUEUE_URL: urlOf(name, proxy.port),
      SQS_DLQ_URL: urlOf(deadName, proxy.port),
    },
    send: async (body, attributes = {}) => {
      const MessageAttributes: Record<string, MessageAttributeValue> = {};
      for (const [key, StringValue] of Object.entries(attributes)) {
        MessageAttributes[key] = { DataType: 'String', StringValue };
      }
      const MessageBody = typeof body === 'string' ? body : JSON.stringify(body);
      const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody, MessageAttributes }));
      return MessageId ?? '';
    },
    [Symbol.asyncDispose]: () => proxy.close(),
    endLease: async (messageId) => {
      const handle = { QueueUrl: url, ReceiptHandle: handles.get(messageId), VisibilityTimeout: 0 };
      await sqs.send(new ChangeMessageVisibilityCommand(handle));
    },
    deadLetters: () => readDeadLetters(sqs, deadLetterUrl),
    depth: async () => {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
      );
      return {
        visible: Number(Attributes['ApproximateNumberOfMessages']),
        held: Number(Attributes['ApproximateNumberOfMessagesNotVisible']),
      };
    },
  };
}

/** The backend's message about an upload. */
export const backendMessage = (id: string, key: string): unknown => ({
  eventType: 'video-uploaded',
  timestamp: '2026-01-01T00:00:00Z',
  s3: { bucket: UPLOADS, key },
  video: { id, status: 'pending' },
  processing: { requestTime: '2026-01-01T00:00:00Z', priority: 'normal' },
});

/** The event of the store about an upload. */
export const storageEvent = (key: string, eTag?: string): unknown => ({
  Records: [
    {
      eventName: 'ObjectCreated:Put',
      eventTime: '2026-01-01T00:00:00Z',
      s3: {
        bucket: { name: UPLOADS },
        object: { key: encodeURIComponent(key), ...(eTag === undefined ? {} : { eTag }) },
      },
    },
  ],
});
