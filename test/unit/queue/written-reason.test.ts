import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import type { MessageAttribute, ReceivedMessage } from '../../../src/queue/received-message.ts';
import { deadLetterAttributes } from '../../../src/queue/sqs/dead-letter.ts';
import { writtenReason } from '../../../src/queue/written-reason.ts';

const text = (value: string): MessageAttribute => ({ type: 'String', value });

function received(attributes: number): ReceivedMessage {
  const names = Array.from({ length: attributes }, (_, index) => `a${index}`);
  return {
    messageId: 'm1',
    receiptHandle: 'r',
    body: '{}',
    attributes: Object.fromEntries(names.map((name) => [name, text('x')])),
    receiveCount: 3,
    firstReceivedAt: 1_700_000_000_000,
    groupId: null,
  };
}

test.each([0, 2, 3, 10])('what a worker wrote is read back, also folded beside %d attributes', (count) => {
  const failure = new Failure('NOT_A_VIDEO', 'the file is text');
  const attributes = deadLetterAttributes(received(count), { failure, workerVersion: '1.2', correlationId: 'c1' });
  expect('failure_context' in attributes).toBe(count > 2);
  expect(writtenReason(attributes)).toEqual({
    code: 'NOT_A_VIDEO',
    class: 'permanent',
    reason: 'the file is text',
    attempt: 3,
    workerVersion: '1.2',
    originalMessageId: 'm1',
    correlationId: 'c1',
    firstReceivedAt: '2023-11-14T22:13:20.000Z',
  });
});

test.each([
  [{}],
  [{ video_id: text('7') }],
  [{ failure_context: text('{"failure_attempt":"1"}') }],
  [{ failure_code: { type: 'Binary', value: new Uint8Array([1]) } }],
])('%j was written by no worker', (attributes) => {
  expect(writtenReason(attributes as Record<string, MessageAttribute>)).toBeNull();
});

test.each(['not JSON', '[]', '7', 'null', '{"failure_attempt":{}}'])('a context that is %s says nothing', (context) => {
  const read = writtenReason({ failure_code: text('UNKNOWN'), failure_context: text(context) });
  expect(read).toMatchObject({ code: 'UNKNOWN', attempt: null, originalMessageId: null });
});
