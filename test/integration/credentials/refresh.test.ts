import { writeFile, rm } from 'node:fs/promises';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Failure } from '../../../src/failure/failure.ts';
import { createSqsClients } from '../../../src/queue/sqs/sqs-client.ts';
import { createS3Client } from '../../../src/storage/s3-client.ts';
import { classifyS3Error } from '../../../src/storage/s3-failure.ts';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import {
  keyIdOf,
  startInstanceMetadata,
  startTokenService,
  type CredentialSource,
  type Refusal,
} from '../../harness/credential-sources.ts';
import { DaemonProcess } from '../../harness/daemon-process.ts';
import { createFaultProxy, type FaultProxy } from '../../harness/fault-proxy.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';
import { TEST_REGION } from '../../harness/local-aws.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const before = { ...process.env };
const OBJECT = { bucket: 'videos', key: 'a.mp4' };
/** The SDK asks anew when less than five minutes are left, and before that never. */
const LONG_MS = 3_600_000;

const held = new AsyncDisposableStack();
let folder: TemporaryFolder;
let sqs: SqsServer;
/** Between the clients and the server: it reads who signed what. */
let proxy: FaultProxy;
let requests: string[] = [];
let queueUrl: string;

beforeAll(async () => {
  folder = held.use(await temporaryFolder('credentials'));
  sqs = held.use(await startSqsServer());
  proxy = held.use(await createFaultProxy('127.0.0.1', sqs.server.port));
  sqs.server.createBucket(OBJECT.bucket);
  const store = sqs.store();
  await store.send(new PutObjectCommand({ Bucket: OBJECT.bucket, Key: OBJECT.key, Body: 'video' }));
});
afterAll(async () => {
  await held.disposeAsync();
});
beforeEach(() => {
  requests = [];
  proxy.answer((request) => {
    requests.push(request);
    return null;
  });
  queueUrl = sqs.server.createQueue(`q-${crypto.randomUUID()}`).queueUrl;
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});

const endpoint = (): string => `http://127.0.0.1:${proxy.port}`;
/** A host with nothing but this source; the developer's own files and keys stay out of it. */
const BARE = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_REGION: TEST_REGION };

function variablesOf(kind: Kind, source: CredentialSource): Record<string, string> {
  return kind === 'instance metadata'
    ? { ...BARE, AWS_EC2_METADATA_SERVICE_ENDPOINT: source.endpoint }
    : {
        ...BARE,
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_ENDPOINT_URL_STS: source.endpoint,
        AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/worker',
        AWS_WEB_IDENTITY_TOKEN_FILE: folder.at('token'),
      };
}

type Kind = 'instance metadata' | 'web identity';

async function startSourceOf(kind: Kind): Promise<CredentialSource> {
  await writeFile(folder.at('token'), 'token');
  const source = await (kind === 'instance metadata' ? startInstanceMetadata('KEY') : startTokenService('KEY'));
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']) {
    delete process.env[name];
  }
  Object.assign(process.env, variablesOf(kind, source));
  return source;
}

/** The key that signed the last request. */
const lastKey = (): string | null => keyIdOf(requests.at(-1) ?? '');

describe.each<Kind>(['instance metadata', 'web identity'])('credentials from %s', (kind) => {
  test('are replaced before they expire, by the clients of queue and store, with no call lost', async () => {
    await using source = await startSourceOf(kind);
    using clients = createSqsClients({ region: TEST_REGION, endpoint: endpoint() });
    const s3 = createS3Client({ region: TEST_REGION, endpoint: endpoint(), forcePathStyle: true });
    const receive = new ReceiveMessageCommand({ QueueUrl: queueUrl });
    const head = new HeadObjectCommand({ Bucket: OBJECT.bucket, Key: OBJECT.key });
    for (const call of [() => clients.control.send(receive), () => clients.poll.send(receive), () => s3.send(head)]) {
      source.lifeMs = 60_000;
      await call();
      const first = lastKey();
      expect(first).toMatch(/^KEY\d+$/);
      source.lifeMs = LONG_MS;
      // The refresh goes on beside the calls, which go on with the old key.
      while (lastKey() === first) await call();
    }
    s3.destroy();
  }, 30_000);

  test('are used on while their source refuses, and replaced when it does not any more', async () => {
    await using source = await startSourceOf(kind);
    source.lifeMs = 60_000;
    using clients = createSqsClients({ region: TEST_REGION, endpoint: endpoint() });
    const call = () => clients.control.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    await call();
    source.refusal = { status: 500, code: 'InternalFailure' };
    const used = source.issued;
    while (source.refused < 5) await call();
    expect(requests.map(keyIdOf)).not.toContain(null);
    expect(source.issued).toBe(used);
    source.refusal = null;
    source.lifeMs = LONG_MS;
    const known = new Set(requests.map(keyIdOf));
    while (known.has(lastKey())) await call();
  }, 30_000);
});

describe('credentials that cannot be had', () => {
  const headFailure = async (): Promise<Failure> => {
    const s3 = createS3Client({ region: TEST_REGION, endpoint: endpoint(), forcePathStyle: true });
    try {
      await s3.send(new HeadObjectCommand({ Bucket: OBJECT.bucket, Key: OBJECT.key }));
    } catch (error) {
      return classifyS3Error(error, OBJECT);
    } finally {
      s3.destroy();
    }
    throw new Error('credentials were had');
  };

  test.each([
    ['AccessDenied', 403, 'CREDENTIALS'],
    ['IDPRejectedClaim', 403, 'CREDENTIALS'],
    ['ExpiredTokenException', 400, 'CREDENTIALS'],
    ['InvalidIdentityToken', 400, 'CREDENTIALS'],
    ['IDPCommunicationError', 400, 'SERVICE_UNAVAILABLE'],
    ['ServiceUnavailable', 503, 'SERVICE_UNAVAILABLE'],
    ['Throttling', 400, 'THROTTLED'],
  ])('%s of the token service says nothing about the object: %s %s', async (code, status, expected) => {
    await using source = await startSourceOf('web identity');
    source.refusal = { status, code };
    expect(await headFailure()).toMatchObject({ code: expected, message: expect.stringMatching(/^credentials: /) });
    expect(requests).toEqual([]);
  });

  test('a token that is not there is no fault of the object', async () => {
    await using _source = await startSourceOf('web identity');
    await rm(folder.at('token'));
    expect(await headFailure()).toMatchObject({ code: 'CREDENTIALS', class: 'system' });
  });

  test.each<[Kind, Refusal, string]>([
    ['instance metadata', { status: 500 }, 'CREDENTIALS'],
    ['web identity', { status: 403, code: 'AccessDenied' }, 'CREDENTIALS'],
    ['web identity', { status: 500, code: 'InternalFailure' }, 'SERVICE_UNAVAILABLE'],
  ])('once the old ones have expired, a refusal of %s counts: %j', async (kind, refusal, code) => {
    await using source = await startSourceOf(kind);
    // Metadata that hands out what has expired already is trusted for some minutes more: it must be alive when it comes.
    source.lifeMs = 500;
    using clients = createSqsClients({ region: TEST_REGION, endpoint: endpoint() });
    const call = () => clients.control.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    await call();
    source.refusal = refusal;
    // Served until then by what was fetched before.
    await expect(
      (async () => {
        for (;;) await call();
      })(),
    ).rejects.toMatchObject({ code });
    source.refusal = null;
    await call();
  });

  test('metadata that has none any more is a system failure', async () => {
    await using source = await startSourceOf('instance metadata');
    source.refusal = { status: 404 };
    expect(await headFailure()).toMatchObject({ code: 'CREDENTIALS', class: 'system' });
  });
});

test('a lease outlives the credentials that it was taken with', async () => {
  await using source = await startInstanceMetadata('KEY');
  // Gone before the first renewal is due.
  source.lifeMs = 2_000;
  const queue = sqs.server.createQueue('leases', { attributes: { VisibilityTimeout: '600' } }).queueUrl;
  const body = JSON.stringify({ bucket: 'b', key: 'wait' });
  await sqs.clients.control.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: body }));
  const renewed = Promise.withResolvers<string | null>();
  let takenWith: string | null = null;
  proxy.answer((request) => {
    if (/x-amz-target: AmazonSQS.ReceiveMessage\b/i.test(request)) takenWith ??= keyIdOf(request);
    if (/x-amz-target: AmazonSQS.ChangeMessageVisibilityBatch\b/i.test(request)) renewed.resolve(keyIdOf(request));
    return null;
  });
  await using daemon = new DaemonProcess({
    entry: 'test/integration/worker/daemon-fixture.ts',
    env: {
      ...variablesOf('instance metadata', source),
      AWS_ENDPOINT_URL: endpoint(),
      SQS_QUEUE_URL: queue,
      HIGHLIGHT_ACTIONS: 'off',
      SQS_WAIT_SECONDS: '1',
      VISIBILITY_TIMEOUT_SECONDS: '10',
      DRAIN_SECONDS: '0',
    },
  });
  const key = await Promise.race([renewed.promise, daemon.ended.then(() => Promise.reject(new Error(daemon.words)))]);
  expect(key).toMatch(/^KEY\d+$/);
  expect(key).not.toBe(takenWith);
  expect(await daemon.stop('SIGTERM')).toBe(EXIT_CODES.GIVEN_BACK);
  expect(daemon.records.find(({ msg }) => msg === 'worker stopped')).toMatchObject({
    summary: { leasesLost: 0, interrupted: 1 },
  });
}, 60_000);
