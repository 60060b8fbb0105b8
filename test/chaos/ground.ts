import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { FauxqsOptions } from '../../src/local/fauxqs-process.ts';
import { openDatabase } from '../../src/persistence/client.ts';
import { migrateDatabase } from '../../src/persistence/migrate.ts';
import { createFaultProxy, type FaultProxy } from '../harness/fault-proxy.ts';
import { TEST_ACCOUNT, TEST_CREDENTIALS, TEST_REGION } from '../harness/local-aws.ts';
import { startPostgres, type TestPostgres } from '../harness/postgres.ts';
import { startSqsProcess } from '../harness/sqs-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import type { Link } from './fault-plan.ts';

/** The servers that the workers reach through proxies, and clients of the run's own that go past them. */
export interface Ground extends AsyncDisposable {
  readonly directory: string;
  readonly workDir: string;
  /** Where the workers' libraries put temporary files. */
  readonly tempDir: string;
  readonly postgres: TestPostgres;
  readonly links: Readonly<Record<Link, FaultProxy>>;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  /** The daemon's configuration: through the proxies, and with waits of seconds where an operator waits minutes. */
  readonly env: Readonly<Record<string, string>>;
  /** The most often that the queue said to have handed out one message. */
  mostReceives(): number;
}

export const VIDEOS = 'videos';
export const HIGHLIGHTS = 'highlights';
export const SCHEMA = 'video_worker';
export const VISIBILITY_SECONDS = 10;
export const ALIVE_SECONDS = 10;
/** A fault costs a receive; no message may come near it. */
export const MAX_RECEIVES = 100;

const ROOT = resolve(import.meta.dirname, '../..');

export async function prepareGround(): Promise<Ground> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryFolder('chaos')).path;
  const [workDir, tempDir] = [join(directory, 'work'), join(directory, 'tmp')];
  await Promise.all([workDir, tempDir].map((folder) => mkdir(folder)));
  const postgres = cleanup.use(await startPostgres());
  await migrate(postgres.url);
  const aws = cleanup.use(await startSqsProcess({ queues: queues(), buckets: [VIDEOS, HIGHLIGHTS] }));

  let most = 0;
  const countReceives = (chunk: Buffer): void => {
    for (const [, count] of chunk.toString('latin1').matchAll(/"ApproximateReceiveCount":"(\d+)"/g)) {
      most = Math.max(most, Number(count));
    }
  };
  const links = {
    sqs: cleanup.use(await createFaultProxy('127.0.0.1', aws.port, countReceives)),
    s3: cleanup.use(await createFaultProxy('127.0.0.1', aws.port)),
    database: cleanup.use(await createFaultProxy('127.0.0.1', postgres.port)),
  };
  const done = cleanup.move();
  return {
    directory,
    workDir,
    tempDir,
    postgres,
    links,
    sqs: aws.clients.control,
    s3: aws.store,
    queueUrl: aws.queueUrl('jobs'),
    deadLetterUrl: aws.queueUrl('dead'),
    env: {
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
      AWS_REGION: TEST_REGION,
      // The SDK's own variables, so that queue and store can be away one without the other.
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${links.sqs.port}`,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${links.s3.port}`,
      S3_FORCE_PATH_STYLE: 'on',
      SQS_QUEUE_URL: aws.queueUrl('jobs', links.sqs.port),
      SQS_DLQ_URL: aws.queueUrl('dead', links.sqs.port),
      SQS_WAIT_SECONDS: '2',
      VISIBILITY_TIMEOUT_SECONDS: String(VISIBILITY_SECONDS),
      MAX_RETRY_DELAY_SECONDS: '2',
      CIRCUIT_MAX_PAUSE_SECONDS: '3',
      RUN_ALIVE_SECONDS: String(ALIVE_SECONDS),
      DRAIN_SECONDS: '2',
      CONCURRENCY: '2',
      DATABASE_URL: postgres.url.replace(`:${postgres.port}/`, `:${links.database.port}/`),
      DATABASE_SCHEMA: SCHEMA,
      DATABASE_POOL_SIZE: '4',
      HIGHLIGHTS_BUCKET: HIGHLIGHTS,
      MODEL_PACK: join(ROOT, 'models/demo'),
      DEVICE: 'cpu',
      CPU_THREADS: '1',
      WORK_DIR: workDir,
      TMPDIR: tempDir,
    },
    mostReceives: () => most,
    [Symbol.asyncDispose]: () => done.disposeAsync(),
  };
}

function queues(): FauxqsOptions['queues'] {
  const deadLetterTargetArn = `arn:aws:sqs:${TEST_REGION}:${TEST_ACCOUNT}:dead`;
  const redrive = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: String(MAX_RECEIVES) });
  return [
    { name: 'dead', attributes: { MessageRetentionPeriod: '1209600' } },
    { name: 'jobs', attributes: { VisibilityTimeout: '30', RedrivePolicy: redrive } },
  ];
}

async function migrate(url: string): Promise<void> {
  const database = await openDatabase({ url, schema: SCHEMA });
  try {
    await migrateDatabase(database, AbortSignal.timeout(30_000));
  } finally {
    await database.close();
  }
}
