import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { passPreflight } from '../../../src/cli/pass-preflight.ts';
import { preflightDeps } from '../../../src/cli/preflight/real-deps.ts';
import type { PreflightDeps } from '../../../src/cli/preflight/run-preflight.ts';
import { StartWait } from '../../../src/cli/start-wait.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import { startInstanceMetadata } from '../../harness/credential-sources.ts';
import { DaemonProcess } from '../../harness/daemon-process.ts';
import { createFaultProxy, type FaultProxy } from '../../harness/fault-proxy.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';
import { localS3, localSqs, TEST_ACCOUNT, TEST_CREDENTIALS, TEST_REGION } from '../../harness/local-aws.ts';
import { freePort, startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const silent = createLogger({ level: 'silent', format: 'json', name: 'test' });
const findFfmpeg: PreflightDeps['findFfmpeg'] = async () => ({
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffprobe',
  version: '7',
  source: 'system',
  untried: null,
});
const trySandbox: PreflightDeps['trySandbox'] = async () => ({ choice: 'off', inForce: null, problem: null });
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

function environment(changes: Readonly<Record<string, string>>): Record<string, string> {
  return {
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
  };
}

const start = (changes: Readonly<Record<string, string>> = {}): DaemonProcess =>
  new DaemonProcess({ env: environment(changes) });

/**
 * The first step of such a start, in this process: the checks of the real services, and the waiting for them. The programs and the picture are
 * not tried: `run-preflight.test.ts` does. Ends also where a worker would wait, with what it would say.
 */
async function firstStep(
  changes: Readonly<Record<string, string>>,
): Promise<{ readonly failed: readonly string[]; readonly waits: readonly string[] }> {
  const config = loadConfig(environment(changes), { needs: ['queue', 'database', 'models'] });
  const endpoint = config.aws.endpointUrl ?? '';
  using clients = new DisposableStack();
  const sqsClient = clients.adopt(localSqs({ endpoint, maxAttempts: 1 }), (client) => client.destroy());
  const s3 = clients.adopt(localS3({ endpoint, maxAttempts: 1 }), (client) => client.destroy());
  const waits: string[] = [];
  const stop = new AbortController();
  const extendStart = async (status: string): Promise<void> => {
    waits.push(status);
    stop.abort(new Error('it waits'));
  };
  const limitMs = config.worker.startWaitSeconds * 1_000;
  const wait = new StartWait({ limitMs, logger: silent, notifier: { extendStart }, signal: stop.signal });
  const deps = { ...preflightDeps(config, { sqs: sqsClient, s3 }), findFfmpeg, trySandbox };
  const { checks } = await passPreflight(config, deps, wait, () => undefined, stop.signal);
  return { failed: checks.filter(({ status }) => status === 'fail').map(({ name }) => name), waits };
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

test('the first step of a start passes where all is well, and waits for what is away', async () => {
  expect(await firstStep({})).toEqual({ failed: [], waits: [] });
  database.refuse();
  await expect(firstStep({})).rejects.toThrow('it waits');
});

test.each([
  ['a user that the database refuses', () => aws, () => ({ DATABASE_URL: databaseUrl('nobody', 'worker') })],
  ['a database that does not exist', () => aws, () => ({ DATABASE_URL: databaseUrl('worker', 'absent') })],
  ['a schema that is not migrated', () => aws, () => ({ MIGRATE_ON_START: 'off', DATABASE_SCHEMA: 'not_migrated' })],
  ['a queue that does not exist', () => database, () => ({ SQS_QUEUE_URL: queueUrl('absent') })],
  ['a pack that is none', () => database, () => ({ MODEL_PACK: folder.path })],
])('nor does it wait for %s, also while something else is away', async (_, away, changes) => {
  away().refuse();
  const { failed, waits } = await firstStep(changes());
  expect(failed).toHaveLength(2);
  expect(waits).toEqual([]);
});

test('a start that is not to wait ends at its first step', async () => {
  database.refuse();
  expect(await firstStep({ START_WAIT_SECONDS: '0' })).toEqual({ failed: ['database'], waits: [] });
});

test('a start that has waited long enough says so and ends', async () => {
  database.refuse();
  await using daemon = start({ START_WAIT_SECONDS: '1' });
  expect(await daemon.ended).toBe(EXIT_CODES.PREFLIGHT);
  expect(daemon.words).toMatch(/waited long enough: giving up/);
}, 60_000);
