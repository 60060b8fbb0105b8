import { ReceiveMessageCommand, type Message, type MessageAttributeValue, type SQSClient } from '@aws-sdk/client-sqs';
import type { StringAttributes } from '../messages/parse-message.ts';
import { within } from './within.ts';

export interface ReceivedMessage {
  readonly queueUrl: string;
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly receiveCount: number;
  /** Server time in milliseconds since 1970, only for records: never compared with a local clock. */
  readonly firstReceivedAt: number | null;
  /** FIFO queues only. */
  readonly groupId: string | null;
  readonly sequenceNumber: string | null;
  /** Monotonic milliseconds before the request left: the lease began no earlier. */
  readonly requestedAt: number;
}

export interface ReceiveRequest {
  readonly queueUrl: string;
  /** 1 to 10. */
  readonly maxMessages: number;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
}

const ANSWER_GRACE_MS = 5_000;

/**
 * One long poll. It takes no signal on purpose: an aborted poll swallows the message that SQS is just handing over, so it
 * runs to its end, at most five seconds past the wait, and whoever stops gives back what it brings.
 */
export async function receiveMessages(
  client: SQSClient,
  request: ReceiveRequest,
  now: () => number,
): Promise<ReceivedMessage[]> {
  const requestedAt = now();
  const command = new ReceiveMessageCommand({
    QueueUrl: request.queueUrl,
    MaxNumberOfMessages: request.maxMessages,
    WaitTimeSeconds: request.waitSeconds,
    VisibilityTimeout: request.visibilitySeconds,
    MessageSystemAttributeNames: [
      'ApproximateReceiveCount',
      'ApproximateFirstReceiveTimestamp',
      'MessageGroupId',
      'SequenceNumber',
    ],
    MessageAttributeNames: ['All'],
  });
  const limitMs = request.waitSeconds * 1_000 + ANSWER_GRACE_MS;
  const answer = await within(limitMs, 'receive messages', (options) => client.send(command, options));
  return (answer.Messages ?? []).flatMap((message) => toReceived(message, request.queueUrl, requestedAt));
}

function toReceived(message: Message, queueUrl: string, requestedAt: number): ReceivedMessage[] {
  // Without these two nothing can be done with a message, not even giving it back.
  if (message.MessageId === undefined || message.ReceiptHandle === undefined) return [];
  const system: Readonly<Record<string, string | undefined>> = message.Attributes ?? {};
  return [
    {
      queueUrl,
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body ?? '',
      attributes: message.MessageAttributes ?? {},
      receiveCount: Number(system['ApproximateReceiveCount'] ?? '1'),
      firstReceivedAt: toNumber(system['ApproximateFirstReceiveTimestamp']),
      groupId: system['MessageGroupId'] ?? null,
      sequenceNumber: system['SequenceNumber'] ?? null,
      requestedAt,
    },
  ];
}

/** The attributes that are text, for the parser. */
export function stringAttributes(message: ReceivedMessage): StringAttributes {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.attributes)) {
    if (value.StringValue !== undefined) found[name] = value.StringValue;
  }
  return found;
}

function toNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
