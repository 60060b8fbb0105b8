import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type BatchResultErrorEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { outsideText } from '../../text/outside-text.ts';
import { Failure } from '../../failure/failure.ts';
import type { EntryResult, VisibilityEntry } from '../message-queue.ts';
import { within } from './within.ts';

const GONE_CODE = /^(ReceiptHandleIsInvalid|MessageNotInflight|QueueDoesNotExist|NonExistentQueue)$/;
const GONE_TEXT = /expired|not available for visibility timeout change|does not refer to an existing message/i;

/** Sets the visibility of up to ten messages; one result per entry, in order. Throws only when the whole call failed. */
export async function changeVisibility(
  client: SQSClient,
  queueUrl: string,
  entries: readonly VisibilityEntry[],
  timeoutMs: number,
): Promise<EntryResult[]> {
  const command = new ChangeMessageVisibilityBatchCommand({
    QueueUrl: queueUrl,
    Entries: entries.map((entry, index) => ({
      Id: String(index),
      ReceiptHandle: entry.receiptHandle,
      VisibilityTimeout: entry.seconds,
    })),
  });
  const answer = await within(timeoutMs, 'change visibilities', (options) => client.send(command, options));
  return readResults(entries.length, answer.Successful ?? [], answer.Failed ?? []);
}

/** Deletes up to ten messages; one result per entry, in order. Throws only when the whole call failed. */
export async function deleteMessages(
  client: SQSClient,
  queueUrl: string,
  receiptHandles: readonly string[],
  timeoutMs: number,
): Promise<EntryResult[]> {
  const command = new DeleteMessageBatchCommand({
    QueueUrl: queueUrl,
    Entries: receiptHandles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle })),
  });
  const answer = await within(timeoutMs, 'delete messages', (options) => client.send(command, options));
  return readResults(receiptHandles.length, answer.Successful ?? [], answer.Failed ?? []);
}

function readResults(
  count: number,
  successful: readonly { readonly Id?: string | undefined }[],
  failed: readonly BatchResultErrorEntry[],
): EntryResult[] {
  const results: EntryResult[] = Array.from({ length: count }, () => ({
    kind: 'failed',
    code: 'NoResult',
    message: 'the answer says nothing about this entry',
  }));
  for (const entry of successful) {
    if (entry.Id !== undefined) results[Number(entry.Id)] = { kind: 'ok' };
  }
  for (const entry of failed) {
    if (entry.Id === undefined) continue;
    results[Number(entry.Id)] = classifyEntry(entry.Code ?? '', entry.Message ?? '');
  }
  return results;
}

/** Knows the codes of both protocols: the older one has a prefix. */
export function classifyEntry(code: string, message: string): EntryResult {
  const bare = code.replace(/^AWS\.SimpleQueueService\./, '').replace(/^com\.amazonaws\.sqs#/, '');
  const gone = GONE_CODE.test(bare) || (bare.startsWith('InvalidParameterValue') && GONE_TEXT.test(message));
  return { kind: gone ? 'gone' : 'failed', code: outsideText(bare, 100), message: outsideText(message) };
}

/** For a call that failed as a whole: a queue that does not exist any more takes every lease with it. */
export function classifyCallError(error: unknown): EntryResult {
  if (error instanceof Failure) return { kind: 'failed', code: error.code, message: error.message };
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  const byName = classifyEntry(name, message);
  // The older protocol's code stays beside a name that the client does not know.
  const code = error instanceof Error && 'Code' in error ? error.Code : null;
  return byName.kind === 'failed' && typeof code === 'string' ? classifyEntry(code, message) : byName;
}
