import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { DaemonProcess } from '../../harness/daemon-process.ts';
import { createFaultProxy } from '../../harness/fault-proxy.ts';
import { startSqsServer } from '../../harness/fauxqs-server.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../../harness/local-aws.ts';
import { freePort } from '../../harness/postgres.ts';

interface Ready {
  readonly status: number;
  readonly busy?: number;
  readonly away?: string;
}

async function readyOf(port: number): Promise<Ready> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
    return { status: answer.status, ...((await answer.json()) as object) };
  } catch {
    return { status: 0 };
  }
}

/** Asks as a probe does, until it answers so. */
async function until(daemon: DaemonProcess, port: number, isSo: (ready: Ready) => boolean): Promise<Ready> {
  for (;;) {
    const ready = await readyOf(port);
    if (isSo(ready)) return ready;
    if (daemon.end !== null) throw new Error(`the daemon ended with ${daemon.end}:\n${daemon.words}`);
    await sleep(50);
  }
}

test('a daemon with 2 slots, one or both of them busy, is not ready while its queue is away, and is again when that is back', async () => {
  await using sqs = await startSqsServer();
  await using proxy = await createFaultProxy('127.0.0.1', Number(new URL(sqs.endpoint).port));
  const through = (url: string): string => url.replace(new URL(sqs.endpoint).host, `127.0.0.1:${proxy.port}`);
  const queue = (name: string): string => sqs.server.createQueue(name, {}).queueUrl;
  const url = queue('videos');
  const port = await freePort();
  await using daemon = new DaemonProcess({
    entry: 'test/integration/worker/daemon-fixture.ts',
    env: {
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
      AWS_REGION: TEST_REGION,
      AWS_ENDPOINT_URL: through(sqs.endpoint),
      SQS_QUEUE_URL: through(url),
      SQS_DLQ_URL: through(queue('dead')),
      HIGHLIGHT_ACTIONS: 'off',
      CONCURRENCY: '2',
      SQS_WAIT_SECONDS: '1',
      VISIBILITY_TIMEOUT_SECONDS: '30',
      HEALTH_PORT: String(port),
    },
  });
  for (const busy of [1, 2]) {
    const MessageBody = JSON.stringify({ bucket: 'b', key: 'wait' });
    await sqs.clients.control.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    await until(daemon, port, (ready) => ready.status === 200 && ready.busy === busy);
    proxy.refuse();
    // A full worker asks for nothing but its renewals.
    const cut = await until(daemon, port, ({ status }) => status === 503);
    expect(cut).toMatchObject({ busy, away: 'queue normal' });
    proxy.heal();
    expect(await until(daemon, port, ({ status }) => status === 200)).toMatchObject({ busy, away: '' });
  }
}, 120_000);
