import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import { startInstanceMetadata } from '../../harness/credential-sources.ts';
import { DaemonProcess } from '../../harness/daemon-process.ts';
import { createFaultProxy, type FaultProxy } from '../../harness/fault-proxy.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';
import { TEST_ACCOUNT, TEST_CREDENTIALS, TEST_REGION } from '../../harness/local-aws.ts';
import { freePort, startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const held = new AsyncDisposableStack();
let folder: TemporaryFolder;
let sqs: SqsServer;
let postgres: TestPostgres;
/** In front of the real servers: closed, they are away. */
let aws: FaultProxy;
let database: FaultProxy;

beforeAll(async () => {
  folder = held.use(await temporaryFolder('start-worker'));
  sqs = held.use(await startSqsServer());
  postgres = held.use(await startPostgres());
  aws = held.use(await createFaultProxy('127.0.0.1', sqs.server.port));
  database = held.use(await createFaultProxy('127.0.0.1', postgres.port));
  sqs.server.createQueue('dead');
  sqs.server.createQueue('videos', { attributes: { VisibilityTimeout: '600' } });
});
afterAll(async () => {
  await held.disposeAsync();
});
beforeEach(() => {
  aws.heal();
  database.heal();
});

const queueUrl = (name: string): string => `http://127.0.0.1:${aws.port}/${TEST_ACCOUNT}/${name}`;

const databaseUrl = (user: string, name: string): string => `postgres://${user}@127.0.0.1:${database.port}/${name}`;

function start(changes: Readonly<Record<string, string>> = {}): DaemonProcess {
  return new DaemonProcess({
    env: {
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
      AWS_REGION: TEST_REGION,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${aws.port}`,
      SQS_QUEUE_URL: queueUrl('videos'),
      SQS_DLQ_URL: queueUrl('dead'),
      DATABASE_URL: databaseUrl('worker', 'worker'),
      MIGRATE_ON_START: 'on',
      MODEL_PACK: 'models/demo',
      DEVICE: 'cpu',
      CPU_THREADS: '1',
      HIGHLIGHT_ACTIONS: 'off',
      SQS_WAIT_SECONDS: '1',
      WORK_DIR: folder.at('work'),
      ...changes,
    },
  });
}

test('a database and a queue that come after the worker are waited for, and work begins when both are there', async () => {
  aws.refuse();
  database.refuse();
  const port = await freePort();
  await using daemon = start({ HEALTH_PORT: String(port) });
  await daemon.logs(/^waiting for database \(.+\), queue \(.+\); trying again in \d/);
  const probe = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  expect((await probe('/livez')).status).toBe(200);
  const ready = await probe('/readyz');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ state: 'starting' });
  aws.heal();
  // The queue is there, and no longer waited for.
  await daemon.logs(/^waiting for database \((?!.*queue).*; trying again/);
  database.heal();
  await daemon.logs(/^polling/);
  expect(await (await probe('/livez')).json()).toMatchObject({ state: 'polling' });
  // Only what was away was looked at again; nothing of this host.
  expect(daemon.words).toContain('ready: 0 failed');
  expect(await daemon.stop('SIGTERM')).toBe(EXIT_CODES.CLEAN);
}, 60_000);

test('credentials that the instance does not have yet are waited for', async () => {
  await using metadata = await startInstanceMetadata();
  metadata.refusal = { status: 404 };
  await using daemon = start({
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint,
  });
  await daemon.logs(/^waiting for queue \(credentials: /);
  expect(daemon.words).toContain('no credentials were found');
  metadata.refusal = null;
  await daemon.logs(/^polling/);
  expect(await daemon.stop('SIGTERM')).toBe(EXIT_CODES.CLEAN);
}, 60_000);

test('a stop signal ends a start that waits, at once and cleanly', async () => {
  database.refuse();
  await using daemon = start();
  await daemon.logs(/^waiting for database/);
  expect(await daemon.stop('SIGTERM')).toBe(EXIT_CODES.CLEAN);
  expect(daemon.words).toMatch(/stopping: the start is given up/);
  expect(daemon.words).not.toMatch(/Failure|UNKNOWN/);
}, 60_000);

test('a stop signal ends a start that loads its models', async () => {
  await using daemon = start();
  await daemon.says(/^ready: 0 failed/);
  expect(await daemon.stop('SIGINT')).toBe(EXIT_CODES.CLEAN);
}, 60_000);

test.each([
  ['a user that the database refuses', () => aws, () => ({ DATABASE_URL: databaseUrl('nobody', 'worker') })],
  ['a database that does not exist', () => aws, () => ({ DATABASE_URL: databaseUrl('worker', 'absent') })],
  ['a schema that is not migrated', () => aws, () => ({ MIGRATE_ON_START: 'off', DATABASE_SCHEMA: 'not_migrated' })],
  ['a queue that does not exist', () => database, () => ({ SQS_QUEUE_URL: queueUrl('absent') })],
  ['a pack that is none', () => database, () => ({ MODEL_PACK: folder.path })],
])(
  '%s ends the start at once, also while something else is away',
  async (_, away, changes) => {
    away().refuse();
    await using daemon = start(changes());
    expect(await daemon.ended).toBe(EXIT_CODES.PREFLIGHT);
    expect(daemon.words).toContain('not ready: 2 failed');
    expect(daemon.words).not.toMatch(/waiting for/);
  },
  60_000,
);

test('a start that is not to wait ends at once', async () => {
  database.refuse();
  await using daemon = start({ START_WAIT_SECONDS: '0' });
  expect(await daemon.ended).toBe(EXIT_CODES.PREFLIGHT);
  expect(daemon.words).not.toMatch(/waiting for/);
}, 60_000);

test('a start that has waited long enough says so and ends', async () => {
  database.refuse();
  await using daemon = start({ START_WAIT_SECONDS: '1' });
  expect(await daemon.ended).toBe(EXIT_CODES.PREFLIGHT);
  expect(daemon.words).toMatch(/waited long enough: giving up/);
}, 60_000);
