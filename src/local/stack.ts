import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

import { startChild } from './child-process.ts';
import type { FauxqsOptions, FauxqsReady } from './fauxqs-process.ts';
import type { PostgresOptions, PostgresReady } from './postgres-process.ts';

export interface LocalStackOptions {
  /** Folder for queues, objects and database; `memory` keeps nothing. */
  readonly dataDir: string;
  /** Port of SQS and S3, 0 for a free one; when absent 4566, or a free one where that is taken. */
  readonly port?: number;
  /** Port of Postgres; a free one when absent. */
  readonly databasePort?: number;
}

/** A queue, a store and a database on this machine, each in a process that ends with this one. */
export interface LocalStack extends AsyncDisposable {
  /** Environment with which the worker and the operator's command use the stack. */
  readonly env: Readonly<Record<string, string>>;
  readonly endpoint: string;
  readonly region: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  readonly uploadsBucket: string;
  readonly highlightsBucket: string;
  readonly databaseUrl: string;
  close(): Promise<void>;
}

const REGION = 'ap-northeast-2';
const ACCOUNT = '000000000000';
const QUEUE = 'video-upload';
const DEAD_LETTER_QUEUE = 'video-upload-dlq';
const UPLOADS = 'video-uploads';
const HIGHLIGHTS = 'video-highlights';
/** Of the videos, and of the highlight images. */
export const LOCAL_BUCKETS: readonly string[] = [UPLOADS, HIGHLIGHTS];
const USUAL_PORT = 4566;
const DAY_SECONDS = 86_400;

/** Starts SQS and S3 (fauxqs) and Postgres (PGlite), with queue, dead-letter queue and buckets made. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const inMemory = options.dataDir === 'memory';
  const dataDir = resolve(options.dataDir);
  if (!inMemory) await mkdir(dataDir, { recursive: true });
  const port = options.port ?? ((await isFree(USUAL_PORT)) ? USUAL_PORT : 0);
  const [emulator, database] = await Promise.allSettled([
    startChild<FauxqsReady>('fauxqs-process', {
      port,
      region: REGION,
      dataDir: inMemory ? null : join(dataDir, 'aws'),
      queues: localQueues(REGION),
      buckets: LOCAL_BUCKETS,
    } satisfies FauxqsOptions),
    startChild<PostgresReady>('postgres-process', {
      dataDir: inMemory ? 'memory' : join(dataDir, 'postgres'),
      port: options.databasePort ?? 0,
    } satisfies PostgresOptions),
  ]);
  if (emulator.status === 'rejected' || database.status === 'rejected') {
    for (const child of [emulator, database]) if (child.status === 'fulfilled') await child.value.close();
    const reasons = [emulator, database].flatMap((child) =>
      child.status === 'rejected' ? [child.reason as unknown] : [],
    );
    throw new AggregateError(reasons, `the local stack did not start: ${reasons.map(String).join('; ')}`);
  }
  const close = async (): Promise<void> => {
    await Promise.all([emulator.value.close(), database.value.close()]);
  };
  return describeStack({ port: emulator.value.ready.port, region: REGION }, database.value.ready.url, close);
}

/** A stack of an emulator on this machine, with queues and buckets as here, and a database. */
export function describeStack(
  { port, region }: { readonly port: number; readonly region: string },
  databaseUrl: string,
  close: () => Promise<void>,
): LocalStack {
  const endpoint = `http://127.0.0.1:${port}`;
  const queueUrl = `${endpoint}/${ACCOUNT}/${QUEUE}`;
  const dlqUrl = `${endpoint}/${ACCOUNT}/${DEAD_LETTER_QUEUE}`;
  return {
    env: {
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: region,
      AWS_ENDPOINT_URL: endpoint,
      S3_FORCE_PATH_STYLE: 'on',
      SQS_QUEUE_URL: queueUrl,
      SQS_DLQ_URL: dlqUrl,
      HIGHLIGHTS_BUCKET: HIGHLIGHTS,
      DATABASE_URL: databaseUrl,
      // A file that the caller's own environment names is of another database.
      DATABASE_URL_FILE: '',
      MIGRATE_ON_START: 'on',
    },
    endpoint,
    region,
    queueUrl,
    dlqUrl,
    uploadsBucket: UPLOADS,
    highlightsBucket: HIGHLIGHTS,
    databaseUrl,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** As the real queues are set up, with more receives: a duplicate does no harm here, and a lost receive must not. */
export function localQueues(region: string): FauxqsOptions['queues'] {
  const redrive = {
    deadLetterTargetArn: `arn:aws:sqs:${region}:${ACCOUNT}:${DEAD_LETTER_QUEUE}`,
    maxReceiveCount: '5',
  };
  return [
    { name: DEAD_LETTER_QUEUE, attributes: { MessageRetentionPeriod: String(14 * DAY_SECONDS) } },
    {
      name: QUEUE,
      attributes: {
        ReceiveMessageWaitTimeSeconds: '20',
        MessageRetentionPeriod: String(4 * DAY_SECONDS),
        VisibilityTimeout: '900',
        RedrivePolicy: JSON.stringify(redrive),
      },
    },
  ];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port);
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
