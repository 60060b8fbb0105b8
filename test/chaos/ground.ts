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
import { startSqsProcess, type SqsProcess } from '../harness/sqs-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { patientSlot, type Link } from './fault-plan.ts';
import { HostRoom } from './host-room.ts';
import type { ChaosOptions } from './options.ts';
import { ReceiveLog } from './receive-log.ts';

/** The servers that the workers reach through proxies, and clients of the run's own that go past them. */
export interface Ground extends AsyncDisposable {
  readonly directory: string;
  /** What each worker has of the host for itself, by slot. */
  readonly rooms: readonly HostRoom[];
  /** Where the workers' libraries put temporary files. */
  readonly tempDir: string;
  readonly postgres: TestPostgres;
  readonly links: Readonly<Record<Link, FaultProxy>>;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  /** Each worker's configuration: through the proxies, and with waits of seconds where an operator waits minutes. */
  readonly envs: readonly Readonly<Record<string, string>>[];
  readonly receives: ReceiveLog;
}

export const VIDEOS = 'videos';
export const HIGHLIGHTS = 'highlights';
export const SCHEMA = 'video_worker';
export const VISIBILITY_SECONDS = 10;
export const ALIVE_SECONDS = 10;
/** Of the worker whose lease outlives a pause of eighty seconds, also just before its renewal at a third. */
const PATIENT_SECONDS = 180;
const PATIENT = {
  VISIBILITY_TIMEOUT_SECONDS: String(PATIENT_SECONDS),
  RUN_ALIVE_SECONDS: String(PATIENT_SECONDS),
};
/** Shorter than a freeze: a decoder that makes no progress because its worker stands still is not stuck. */
const STALL_SECONDS = 10;

const ROOT = resolve(import.meta.dirname, '../..');

export async function prepareGround(
  options: Pick<ChaosOptions, 'workers' | 'form' | 'maxReceives' | 'canMount'>,
): Promise<Ground> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryFolder('chaos')).path;
  const tempDir = join(directory, 'tmp');
  await mkdir(tempDir);
  const rooms: HostRoom[] = [];
  for (let slot = 0; slot < options.workers; slot++) {
    const room = await HostRoom.make(join(directory, `host-${slot}`), options.canMount);
    cleanup.defer(() => room.close());
    rooms.push(room);
  }
  const postgres = cleanup.use(await startPostgres());
  await migrate(postgres.url);
  const queues = queuesOf(options.maxReceives);
  const aws = cleanup.use(await startSqsProcess({ queues, buckets: [VIDEOS, HIGHLIGHTS] }));
  const receives = new ReceiveLog(aws.endpoint, 'jobs');
  cleanup.defer(() => receives.end());
  const links = {
    sqs: cleanup.use(await createFaultProxy('127.0.0.1', aws.port)),
    s3: cleanup.use(await createFaultProxy('127.0.0.1', aws.port)),
    database: cleanup.use(await createFaultProxy('127.0.0.1', postgres.port)),
  };
  const env = configuration(aws, postgres, links);
  const patient = patientSlot(options);
  const done = cleanup.move();
  return {
    directory,
    rooms,
    tempDir,
    postgres,
    links,
    sqs: aws.clients.control,
    s3: aws.store,
    queueUrl: aws.queueUrl('jobs'),
    deadLetterUrl: aws.queueUrl('dead'),
    envs: rooms.map((room, slot) => ({
      ...env,
      ...(slot === patient ? PATIENT : {}),
      ...room.env,
      TMPDIR: tempDir,
    })),
    receives,
    [Symbol.asyncDispose]: () => done.disposeAsync(),
  };
}

function configuration(
  aws: SqsProcess,
  postgres: TestPostgres,
  links: Ground['links'],
): Readonly<Record<string, string>> {
  return {
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
    DECODE_STALL_SECONDS: String(STALL_SECONDS),
    CONCURRENCY: '2',
    DATABASE_URL: postgres.url.replace(`:${postgres.port}/`, `:${links.database.port}/`),
    DATABASE_SCHEMA: SCHEMA,
    DATABASE_POOL_SIZE: '4',
    HIGHLIGHTS_BUCKET: HIGHLIGHTS,
    MODEL_PACK: join(ROOT, 'models/demo'),
    DEVICE: 'cpu',
    CPU_THREADS: '1',
  };
}

function queuesOf(maxReceives: number): FauxqsOptions['queues'] {
  const deadLetterTargetArn = `arn:aws:sqs:${TEST_REGION}:${TEST_ACCOUNT}:dead`;
  const redrive = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: String(maxReceives) });
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
