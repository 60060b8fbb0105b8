import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { toFailure } from '../../../src/failure/classify.ts';
import { changeVisibility, classifyCallError, deleteMessages } from '../../../src/queue/sqs/batch-calls.ts';
import { readQueueAttributes } from '../../../src/queue/sqs/queue-attributes.ts';
import type { SqsClients } from '../../../src/queue/sqs/sqs-client.ts';
import { createSqsQueue } from '../../../src/queue/sqs/sqs-queue.ts';
import { within } from '../../../src/queue/sqs/within.ts';
import { createFaultProxy, type FaultProxy } from '../../harness/fault-proxy.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';

let sqs: SqsServer;
let proxy: FaultProxy;
let clients: SqsClients;
let url: string;

beforeAll(async () => {
  sqs = await startSqsServer();
  url = sqs.server.createQueue('videos').queueUrl;
  proxy = await createFaultProxy('127.0.0.1', sqs.server.port);
  clients = sqs.connect(`http://127.0.0.1:${proxy.port}`);
  proxy.blackhole();
});
afterAll(async () => {
  await proxy.close();
  await sqs[Symbol.asyncDispose]();
});

const failureOf = async (work: Promise<unknown>): Promise<unknown> => toFailure(await work.catch((e: unknown) => e));

test('a call over its own limit is a time-out, which is temporary, whatever the SDK calls the abort', async () => {
  const entry = { receiptHandle: 'h', seconds: 1 };
  for (const call of [
    changeVisibility(clients.control, url, [entry], 50),
    deleteMessages(clients.control, url, ['h'], 50),
  ]) {
    expect(await failureOf(call)).toMatchObject({ code: 'TIMEOUT', class: 'temporary' });
  }
});

test("an abort by the caller's signal stays that signal's reason", async () => {
  const controller = new AbortController();
  const reading = readQueueAttributes(clients.control, url, controller.signal);
  const reason = new Error('the caller gave up');
  controller.abort(reason);
  await expect(reading).rejects.toBe(reason);
});

test('an error that is no abort passes as it is', async () => {
  const refused = Object.assign(new Error('no'), { name: 'QueueDoesNotExist' });
  await expect(within(1_000, 'x', () => Promise.reject(refused))).rejects.toBe(refused);
});

test('a time-out leaves the lease to be tried again', async () => {
  const error: unknown = await deleteMessages(clients.control, url, ['h'], 20).catch((e: unknown) => e);
  expect(classifyCallError(error)).toMatchObject({ kind: 'failed', code: 'TIMEOUT' });
});

test('as a queue, a server that is silent or refuses is the result of each entry; only a receive rejects', async () => {
  const queue = createSqsQueue(clients, { url, deadLetterUrl: null, redrive: { maxReceives: null } });
  const entries = ['a', 'b'].map((receiptHandle) => ({ receiptHandle, seconds: 1 }));
  const failed = { kind: 'failed', code: 'TIMEOUT' };
  expect(await queue.extend(entries, 50)).toMatchObject([failed, failed]);
  expect(await queue.giveBack(entries, 50)).toMatchObject([failed, failed]);
  expect(await queue.acknowledge(['a', 'b'], 50)).toMatchObject([failed, failed]);
  proxy.respond(500);
  expect(await queue.extend(entries, 5_000)).toMatchObject([{ kind: 'failed' }, { kind: 'failed' }]);
  await expect(queue.receive({ maxMessages: 1, waitSeconds: 0, visibilitySeconds: 1 })).rejects.toThrow();
});
