import { startSqsServer, type SqsServer } from './fauxqs-server.ts';
import { TEST_ACCOUNT, TEST_CREDENTIALS, TEST_REGION } from './local-aws.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';

/** What a command of the worker needs beside its models: a queue and a store in this process, and a real PostgreSQL. */
export interface TestServices extends AsyncDisposable {
  readonly sqs: SqsServer;
  readonly postgres: TestPostgres;
  /** With which the worker uses them. */
  readonly env: Readonly<Record<string, string>>;
}

export const UPLOADS_BUCKET = 'video-uploads';
const HIGHLIGHTS_BUCKET = 'video-highlights';

/** As the local stack sets them up, at a third of its cost. */
export async function startServices(): Promise<TestServices> {
  await using opening = new AsyncDisposableStack();
  const sqs = opening.use(await startSqsServer());
  const postgres = opening.use(await startPostgres());
  for (const bucket of [UPLOADS_BUCKET, HIGHLIGHTS_BUCKET]) sqs.server.createBucket(bucket);
  sqs.server.createQueue('dead', { attributes: { MessageRetentionPeriod: String(14 * 86_400) } });
  const redrive = { deadLetterTargetArn: `arn:aws:sqs:${TEST_REGION}:${TEST_ACCOUNT}:dead`, maxReceiveCount: '5' };
  sqs.server.createQueue('videos', {
    attributes: {
      ReceiveMessageWaitTimeSeconds: '20',
      MessageRetentionPeriod: String(4 * 86_400),
      VisibilityTimeout: '900',
      RedrivePolicy: JSON.stringify(redrive),
    },
  });
  const held = opening.move();
  return {
    sqs,
    postgres,
    env: {
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
      AWS_REGION: TEST_REGION,
      AWS_ENDPOINT_URL: sqs.endpoint,
      S3_FORCE_PATH_STYLE: 'on',
      SQS_QUEUE_URL: `${sqs.endpoint}/${TEST_ACCOUNT}/videos`,
      SQS_DLQ_URL: `${sqs.endpoint}/${TEST_ACCOUNT}/dead`,
      HIGHLIGHTS_BUCKET,
      DATABASE_URL: postgres.url,
      DATABASE_URL_FILE: '',
      MIGRATE_ON_START: 'on',
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
