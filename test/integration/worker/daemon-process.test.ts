import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import { DaemonProcess } from '../../harness/daemon-process.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../../harness/local-aws.ts';

let sqs: SqsServer;
let url: string;
let count = 0;

beforeAll(async () => {
  sqs = await startSqsServer();
});
afterAll(async () => {
  await sqs[Symbol.asyncDispose]();
});
beforeEach(() => {
  count += 1;
  url = queue(`videos-${count}`);
});

// Long enough that a message is visible again only when it was given back.
const queue = (name: string): string =>
  sqs.server.createQueue(name, { attributes: { VisibilityTimeout: '600' } }).queueUrl;

const send = async (key: string, to = url): Promise<void> => {
  await sqs.clients.control.send(
    new SendMessageCommand({ QueueUrl: to, MessageBody: JSON.stringify({ bucket: 'b', key }) }),
  );
};

function start(env: Readonly<Record<string, string>> = {}): DaemonProcess {
  return new DaemonProcess({
    entry: 'test/integration/worker/daemon-fixture.ts',
    env: {
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
      AWS_REGION: TEST_REGION,
      AWS_ENDPOINT_URL: sqs.endpoint,
      SQS_QUEUE_URL: url,
      SQS_DLQ_URL: queue(`dead-${count}`),
      HIGHLIGHT_ACTIONS: 'off',
      SQS_WAIT_SECONDS: '1',
      VISIBILITY_TIMEOUT_SECONDS: '600',
      DRAIN_SECONDS: '30',
      ...env,
    },
  });
}

/** The message is there for others at once: nobody has to wait for its lease. */
async function isVisible(): Promise<boolean> {
  const answer = await sqs.clients.poll.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 0 }));
  return answer.Messages?.length === 1;
}

/** Resolves when the daemon holds the one message of the queue. */
async function held(daemon: DaemonProcess): Promise<void> {
  await until(daemon, () => messagesOf(url).inflight === 1);
}

function messagesOf(to: string): { readonly ready: number; readonly inflight: number } {
  const messages = sqs.server.inspectQueue(to.split('/').at(-1) ?? '')?.messages;
  return { ready: messages?.ready.length ?? 0, inflight: messages?.inflight.length ?? 0 };
}

/** Asks the server again and again; a daemon that has ended changes nothing any more. */
async function until(daemon: DaemonProcess, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (daemon.end !== null) throw new Error(`the daemon ended with ${daemon.end}:\n${daemon.words}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a second signal means now: the first one drains, the second gives back and exits with its own code', async () => {
  await send('wait');
  await using daemon = start();
  await held(daemon);
  // A closed terminal is none of them.
  daemon.signal('SIGHUP');
  daemon.signal('SIGTERM');
  await daemon.logs(/^draining/);
  expect(daemon.end).toBeNull();
  daemon.signal('SIGINT');
  const code = await daemon.ended;
  expect(code).toBe(EXIT_CODES.GIVEN_BACK);
  expect(await isVisible()).toBe(true);
  expect(daemon.records.find(({ msg }) => msg === 'worker stopped')).toMatchObject({
    summary: { started: 1, interrupted: 1 },
  });
}, 30_000);

test('a drain with nothing to do exits 0', async () => {
  await using daemon = start();
  await daemon.logs(/^polling/);
  daemon.signal('SIGINT');
  expect(await daemon.ended).toBe(EXIT_CODES.CLEAN);
}, 30_000);

test('a system failure exits with the code on which the daemon is started again, and keeps no message', async () => {
  await send('gpu');
  await using daemon = start();
  expect(await daemon.ended).toBe(EXIT_CODES.SYSTEM_FAILURE);
  expect(await isVisible()).toBe(true);
}, 30_000);

test.each(['uncaught', 'unhandled'])(
  'pitfall 38: an %s error gives everything back before the process ends',
  async (key) => {
    await send(key);
    await using daemon = start();
    const code = await daemon.ended;
    expect(code).toBe(EXIT_CODES.CRASH);
    expect(await isVisible()).toBe(true);
    expect(daemon.records.find(({ level }) => level === 'fatal')?.['msg']).toMatch(/giving everything back/);
  },
  30_000,
);

test('a rebalance recommendation drains the process for DRAIN_SECONDS, and the messages go back', async () => {
  const says = new Map([['events/recommendations/rebalance', '{}']]);
  const imds = createServer((request, response) => {
    const path = (request.url ?? '').replace('/latest/meta-data/', '');
    const text = request.method === 'PUT' ? 'token' : says.get(path);
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  imds.listen(0, '127.0.0.1');
  await once(imds, 'listening');
  await send('wait');
  const endpoint = `http://127.0.0.1:${(imds.address() as AddressInfo).port}`;
  await using daemon = start({ HOST_INTERRUPTION_WATCH: 'on', IMDS_ENDPOINT: endpoint, DRAIN_SECONDS: '1' });
  const code = await daemon.ended;
  imds.close();
  imds.closeAllConnections();
  expect(code).toBe(EXIT_CODES.GIVEN_BACK);
  const draining = daemon.records.find(({ msg }) => String(msg).startsWith('draining'));
  expect(draining).toMatchObject({ reason: 'rebalance', deadlineMs: 1_000 });
  expect(await isVisible()).toBe(true);
}, 30_000);
