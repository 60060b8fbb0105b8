import { ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import type { VisibilityEntry } from '../message-queue.ts';
import type { MessageAttribute } from '../received-message.ts';
import { attributesOf } from './attributes.ts';
import { changeVisibility } from './batch-calls.ts';
import { within } from './within.ts';

/** A message as it lies in a dead-letter queue. */
export interface DeadLetter {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  /** Milliseconds since the epoch: when a copy was sent, or when the original was that the queue moved. */
  readonly sentAt: number | null;
  readonly firstReceivedAt: number | null;
  /** The queue that moved it, by its ARN; null for a copy that a worker sent. */
  readonly sourceArn: string | null;
}

export interface DeadLetterListing {
  readonly letters: readonly DeadLetter[];
  /** False: the limit was reached, or the time was over. */
  readonly isWhole: boolean;
}

/** Hidden while the others are read, so that none comes twice; whoever dies in between leaves them hidden no longer than this. */
const HIDDEN_SECONDS = 60;
/** Well before the first are visible again. */
const READING_MS = 40_000;
const CALL_TIMEOUT_MS = 10_000;
const BATCH = 10;
/** Long enough for SQS to ask all of its servers. */
const WAIT_SECONDS = 1;

/**
 * Reads what lies in a dead-letter queue and leaves it there: each message is hidden until all are read, and then made visible again,
 * also when reading fails. Of a FIFO queue SQS shows the first ten of each group.
 */
export async function readDeadLetters(
  client: SQSClient,
  url: string,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<DeadLetterListing> {
  signal.throwIfAborted();
  const letters = new Map<string, DeadLetter>();
  const hidden: VisibilityEntry[] = [];
  const end = performance.now() + READING_MS;
  try {
    while (letters.size < limit && performance.now() < end) {
      const messages = await receive(client, url, Math.min(BATCH, limit - letters.size));
      const known = letters.size;
      for (const message of messages) {
        if (message.MessageId === undefined || message.ReceiptHandle === undefined) continue;
        hidden.push({ receiptHandle: message.ReceiptHandle, seconds: 0 });
        letters.set(message.MessageId, letterOf(message, message.MessageId));
      }
      signal.throwIfAborted();
      if (letters.size === known) return { letters: [...letters.values()], isWhole: true };
    }
    return { letters: [...letters.values()], isWhole: false };
  } finally {
    await show(client, url, hidden);
  }
}

/** Not ended by a signal: an answer that nobody hears leaves its messages hidden. */
async function receive(client: SQSClient, url: string, count: number): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: count,
    WaitTimeSeconds: WAIT_SECONDS,
    VisibilityTimeout: HIDDEN_SECONDS,
    MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateFirstReceiveTimestamp', 'DeadLetterQueueSourceArn'],
    MessageAttributeNames: ['All'],
  });
  const send = (options: { readonly abortSignal: AbortSignal }) => client.send(command, options);
  return (await within(CALL_TIMEOUT_MS, 'read the dead-letter queue', send)).Messages ?? [];
}

/** What cannot be made visible now is so in a minute by itself: no reason to lose what was read. */
async function show(client: SQSClient, url: string, hidden: readonly VisibilityEntry[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(hidden.length / BATCH) }, (_, index) =>
    hidden.slice(index * BATCH, (index + 1) * BATCH),
  );
  await Promise.allSettled(batches.map((batch) => changeVisibility(client, url, batch, CALL_TIMEOUT_MS)));
}

function letterOf(message: Message, messageId: string): DeadLetter {
  const system: Readonly<Record<string, string | undefined>> = message.Attributes ?? {};
  return {
    messageId,
    body: message.Body ?? '',
    attributes: attributesOf(message.MessageAttributes ?? {}),
    sentAt: toNumber(system['SentTimestamp']),
    firstReceivedAt: toNumber(system['ApproximateFirstReceiveTimestamp']),
    sourceArn: system['DeadLetterQueueSourceArn'] ?? null,
  };
}

function toNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
