import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkQueue, findDeadLetterUrl, readQueueAttributes } from '../../../src/queue/sqs/queue-attributes.ts';
import { startSqsServer, type SqsServer } from '../../harness/fauxqs-server.ts';

const signal = new AbortController().signal;
let sqs: SqsServer;

beforeAll(async () => {
  sqs = await startSqsServer();
});
afterAll(async () => {
  await sqs[Symbol.asyncDispose]();
});

test('a queue is read with its redrive policy, and the dead-letter queue is found by it', async () => {
  const dead = sqs.server.createQueue('dead');
  const { queueUrl } = sqs.server.createQueue('videos', {
    attributes: {
      VisibilityTimeout: '77',
      MessageRetentionPeriod: '86400',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 2 }),
    },
  });
  const attributes = await readQueueAttributes(sqs.clients.control, queueUrl, signal);
  expect(attributes).toMatchObject({
    isFifo: false,
    visibilitySeconds: 77,
    retentionSeconds: 86_400,
    redrive: { deadLetterArn: dead.queueArn, maxReceiveCount: 2 },
  });
  expect(await findDeadLetterUrl(sqs.clients.control, attributes, signal)).toBe(dead.queueUrl);
  expect(checkQueue(attributes, { deadLetterUrl: dead.queueUrl })).toEqual([
    { severity: 'warning', text: expect.stringMatching(/allows 2 receives.*set maxReceiveCount to 5/) },
  ]);
});

test('a queue without redrive is told, unless a dead-letter queue is configured', async () => {
  const { queueUrl } = sqs.server.createQueue('bare');
  const attributes = await readQueueAttributes(sqs.clients.control, queueUrl, signal);
  expect(attributes.redrive).toBeNull();
  expect(await findDeadLetterUrl(sqs.clients.control, attributes, signal)).toBeNull();
  expect(checkQueue(attributes, { deadLetterUrl: null })).toEqual([
    { severity: 'warning', text: expect.stringMatching(/no dead-letter queue/) },
  ]);
  expect(checkQueue(attributes, { deadLetterUrl: 'configured' })).toEqual([]);
});

test('pitfall 35: of a FIFO queue it is said that a dead letter is overtaken by its group', async () => {
  const { queueUrl } = sqs.server.createQueue('videos.fifo', { attributes: { FifoQueue: 'true' } });
  const attributes = await readQueueAttributes(sqs.clients.control, queueUrl, signal);
  expect(attributes.isFifo).toBe(true);
  expect(checkQueue(attributes, { deadLetterUrl: 'configured' })[0]?.text).toMatch(/overtaken by its group/);
});

test('a queue that is not there is an error, not a queue without attributes', async () => {
  const url = `${sqs.endpoint}/000000000000/nowhere`;
  await expect(readQueueAttributes(sqs.clients.control, url, signal)).rejects.toThrow(/does not exist/i);
});
