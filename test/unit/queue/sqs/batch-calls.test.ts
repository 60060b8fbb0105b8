import { expect, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import {
  changeVisibility,
  classifyCallError,
  classifyEntry,
  deleteMessages,
} from '../../../../src/queue/sqs/batch-calls.ts';

const NOT_AVAILABLE =
  'Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.';
const EXPIRED = 'Value AQEB for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.';

/** Prefixes of the two protocols, and of the JSON one as it stands on the wire. */
const PREFIXES = ['', 'AWS.SimpleQueueService.', 'com.amazonaws.sqs#'];

test.each([
  ['ReceiptHandleIsInvalid', 'The input receipt handle is invalid.'],
  ['MessageNotInflight', 'The message referred to is not in flight.'],
  ['QueueDoesNotExist', 'The specified queue does not exist.'],
  ['NonExistentQueue', 'The specified queue does not exist for this wsdl version.'],
  ['InvalidParameterValue', EXPIRED],
  ['InvalidParameterValue', NOT_AVAILABLE],
  ['InvalidParameterValueException', EXPIRED],
])('pitfall 6: %s "%s" says that the message is not ours any more, in both protocols', (code, message) => {
  for (const prefix of PREFIXES) expect(classifyEntry(prefix + code, message)).toMatchObject({ kind: 'gone', code });
});

test.each([
  ['InvalidParameterValue', 'Value 50000 for parameter VisibilityTimeout is invalid. Reason: Must be at most 43200.'],
  ['InternalError', 'We encountered an internal error. Please try again.'],
  ['ServiceUnavailable', 'expired'],
  ['RequestThrottled', 'slow down'],
  ['ThrottlingException', 'Rate exceeded'],
  ['OverLimit', 'too many in flight'],
  ['AccessDenied', 'no'],
  ['', ''],
])('%s "%s" says nothing about the message: the lease is tried again', (code, message) => {
  for (const prefix of PREFIXES) expect(classifyEntry(prefix + code, message).kind).toBe('failed');
});

test('the error of a whole call is read by its name and by the code of the older protocol', () => {
  const error = (name: string, code?: string): Error =>
    Object.assign(new Error('x'), { name }, code === undefined ? {} : { Code: code });
  expect(classifyCallError(error('QueueDoesNotExist')).kind).toBe('gone');
  expect(classifyCallError(error('Error', 'AWS.SimpleQueueService.NonExistentQueue')).kind).toBe('gone');
  expect(classifyCallError(error('TimeoutError')).kind).toBe('failed');
  expect(classifyCallError('text').kind).toBe('failed');
});

const answering = (answer: object): SQSClient => ({ send: () => Promise.resolve(answer) }) as unknown as SQSClient;
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `h${index}`);

test('pitfall 7: a batch that answers 200 is read entry by entry, in the order of the request', async () => {
  const client = answering({
    Successful: [{ Id: '3' }, { Id: '0' }],
    Failed: [
      { Id: '2', Code: 'InternalError', Message: 'again', SenderFault: false },
      { Id: '1', Code: 'ReceiptHandleIsInvalid', Message: 'not yours', SenderFault: true },
    ],
  });
  const entries = ids(5).map((receiptHandle) => ({ receiptHandle, seconds: 30 }));
  const kinds = (results: readonly { readonly kind: string }[]): string[] => results.map(({ kind }) => kind);
  // The fifth is not spoken of at all: that is no success.
  const expected = ['ok', 'gone', 'failed', 'ok', 'failed'];
  expect(kinds(await changeVisibility(client, 'url', entries, 1_000))).toEqual(expected);
  expect(kinds(await deleteMessages(client, 'url', ids(5), 1_000))).toEqual(expected);
});

test('pitfall 36: the ids of a batch are places, so that one message twice does not refuse the batch', async () => {
  const sent: unknown[] = [];
  const client = {
    send: (command: { input: { Entries: { Id: string }[] } }) => {
      sent.push(command.input.Entries.map(({ Id }) => Id));
      return Promise.resolve({ Successful: [{ Id: '0' }, { Id: '1' }] });
    },
  } as unknown as SQSClient;
  await deleteMessages(client, 'url', ['same', 'same'], 1_000);
  expect(sent).toEqual([['0', '1']]);
});
