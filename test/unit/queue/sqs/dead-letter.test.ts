import { expect, test } from '@jest/globals';
import { Failure } from '../../../../src/failure/failure.ts';
import { classifyEntry } from '../../../../src/queue/sqs/batch-calls.ts';
import { deadLetterAttributes } from '../../../../src/queue/sqs/dead-letter.ts';
import type { ReceivedMessage } from '../../../../src/queue/received-message.ts';

function message(attributes: number): ReceivedMessage {
  return {
    messageId: 'm',
    receiptHandle: 'h',
    body: '{}',
    attributes: Object.fromEntries(
      Array.from({ length: attributes }, (_, index) => [`a${index}`, { type: 'String', value: 'x' }]),
    ),
    receiveCount: 2,
    firstReceivedAt: 0,
    groupId: null,
  };
}

test.each([
  [0, 8],
  [2, 10],
  [3, 7],
  [6, 10],
  [10, 10],
])('pitfall 22: %i original attributes make a copy with %i', (originals, total) => {
  const failure = new Failure('NOT_A_VIDEO', 'bad\u0000text');
  const made = deadLetterAttributes(message(originals), { failure, workerVersion: '1', correlationId: 'c' });
  expect(Object.keys(made)).toHaveLength(total);
  expect(made['failure_code']?.value).toBe('NOT_A_VIDEO');
  expect(made['failure_reason']?.value).toBe('bad?text');
});

test.each([
  ['ReceiptHandleIsInvalid', '', 'gone'],
  ['AWS.SimpleQueueService.MessageNotInflight', '', 'gone'],
  ['AWS.SimpleQueueService.NonExistentQueue', '', 'gone'],
  ['QueueDoesNotExist', '', 'gone'],
  ['InvalidParameterValue', 'Reason: The receipt handle has expired', 'gone'],
  ['InvalidParameterValue', 'VisibilityTimeout is too large', 'failed'],
  ['RequestThrottled', '', 'failed'],
])('pitfall 6: %s "%s" is %s', (code, text, kind) => {
  expect(classifyEntry(code, text).kind).toBe(kind);
});
