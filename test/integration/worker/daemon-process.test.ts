import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { EXIT_CODES } from '../../../src/worker/exit-codes.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';

let sqs: SqsServer;
let url: string;
let count = 0;
const children: ChildProcess[] = [];

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
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

// Long enough that a message is visible again only when it was given back.
const queue = (name: string): string =>
  sqs.server.createQueue(name, { attributes: { VisibilityTimeout: '600' } }).queueUrl;

const send = async (key: string, to = url): Promise<void> => {
  await sqs.clients.control.send(
    new SendMessageCommand({ QueueUrl: to, MessageBody: JSON.stringify({ bucket: 'b', key }) }),
  );
};

interface Daemon {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly lines: readonly Record<string, unknown>[] }>;
  /** Resolves with the first such log line. */
  says(message: RegExp): Promise<void>;
}

function start(env: Readonly<Record<string, string>> = {}): Daemon {
  const child = spawn(
    'node_modules/.bin/node',
    ['--disable-warning=ExperimentalWarning', 'test/integration/worker/daemon-fixture.ts'],
    {
      env: {
        PATH: process.env['PATH'],
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: sqs.endpoint,
        SQS_QUEUE_URL: url,
        SQS_DLQ_URL: queue(`dead-${count}`),
        HIGHLIGHT_ACTIONS: 'off',
        SQS_WAIT_SECONDS: '1',
        VISIBILITY_TIMEOUT_SECONDS: '600',
        DRAIN_SECONDS: '30',
        ...env,
      },
      stdio: ['ignore', 'inherit', 'pipe'],
    },
  );
  children.push(child);
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  const reading = createInterface({ input: child.stderr });
  reading.on('line', (line) => {
    lines.push(line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : { msg: line });
    for (const wake of waiting) wake();
  });
  child.once('exit', () => {
    for (const wake of waiting) wake();
  });
  const closed = once(reading, 'close');
  const ended = once(child, 'exit').then(async ([code]) => {
    await closed;
    return { code: code as number | null, lines };
  });
  return {
    child,
    ended,
    async says(message) {
      while (!lines.some(({ msg }) => typeof msg === 'string' && message.test(msg))) {
        if (child.exitCode !== null) throw new Error(`the daemon ended without ${message}: ${JSON.stringify(lines)}`);
        await new Promise<void>((wake) => {
          waiting.add(wake);
        });
      }
    },
  };
}

/** The message is there for others at once: nobody has to wait for its lease. */
async function isVisible(): Promise<boolean> {
  const answer = await sqs.clients.poll.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 0 }));
  return answer.Messages?.length === 1;
}

/** Resolves when the daemon holds the one message of the queue. */
async function held(daemon: Daemon): Promise<void> {
  await until(daemon, () => messagesOf(url).inflight === 1);
}

function messagesOf(to: string): { readonly ready: number; readonly inflight: number } {
  const messages = sqs.server.inspectQueue(to.split('/').at(-1) ?? '')?.messages;
  return { ready: messages?.ready.length ?? 0, inflight: messages?.inflight.length ?? 0 };
}

/** Asks the server again and again; a daemon that has ended changes nothing any more. */
async function until(daemon: Daemon, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (daemon.child.exitCode !== null) {
      throw new Error(`the daemon ended: ${JSON.stringify((await daemon.ended).lines)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a second signal means now: the first one drains, the second gives back and exits with its own code', async () => {
  await send('wait');
  const daemon = start();
  await held(daemon);
  // A closed terminal is none of them.
  daemon.child.kill('SIGHUP');
  daemon.child.kill('SIGTERM');
  await daemon.says(/^draining/);
  expect(daemon.child.exitCode).toBeNull();
  daemon.child.kill('SIGINT');
  const { code, lines } = await daemon.ended;
  expect(code).toBe(EXIT_CODES.GIVEN_BACK);
  expect(await isVisible()).toBe(true);
  expect(lines.find(({ msg }) => msg === 'worker stopped')).toMatchObject({ summary: { started: 1, interrupted: 1 } });
}, 30_000);

test('a drain with nothing to do exits 0', async () => {
  const daemon = start();
  await daemon.says(/^polling/);
  daemon.child.kill('SIGINT');
  expect((await daemon.ended).code).toBe(EXIT_CODES.CLEAN);
}, 30_000);

test('a system failure exits with the code on which the daemon is started again, and keeps no message', async () => {
  await send('gpu');
  expect((await start().ended).code).toBe(EXIT_CODES.SYSTEM_FAILURE);
  expect(await isVisible()).toBe(true);
}, 30_000);

test.each(['uncaught', 'unhandled'])(
  'pitfall 38: an %s error gives everything back before the process ends',
  async (key) => {
    await send(key);
    const daemon = start();
    const { code, lines } = await daemon.ended;
    expect(code).toBe(EXIT_CODES.CRASH);
    expect(await isVisible()).toBe(true);
    expect(lines.find(({ level }) => level === 'fatal')?.['msg']).toMatch(/giving everything back/);
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
  const daemon = start({ HOST_INTERRUPTION_WATCH: 'on', IMDS_ENDPOINT: endpoint, DRAIN_SECONDS: '1' });
  const { code, lines } = await daemon.ended;
  imds.close();
  imds.closeAllConnections();
  expect(code).toBe(EXIT_CODES.GIVEN_BACK);
  const draining = lines.find(({ msg }) => String(msg).startsWith('draining'));
  expect(draining).toMatchObject({ reason: 'rebalance', deadlineMs: 1_000 });
  expect(await isVisible()).toBe(true);
}, 30_000);
