import { ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import type { ReceiveRequest } from '../message-queue.ts';
import type { ReceivedMessage } from '../received-message.ts';
import { attributesOf } from './attributes.ts';
import { within } from './within.ts';

const ANSWER_GRACE_MS = 5_000;
const NO_ATTRIBUTES: ReceivedMessage['attributes'] = {};

/** One long poll, at most five seconds past the wait. Rejects with TIMEOUT or the SDK's error. */
export async function receiveMessages(
  client: SQSClient,
  queueUrl: string,
  request: ReceiveRequest,
): Promise<ReceivedMessage[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: request.maxMessages,
    WaitTimeSeconds: request.waitSeconds,
    VisibilityTimeout: request.visibilitySeconds,
    MessageSystemAttributeNames: ['ApproximateReceiveCount', 'ApproximateFirstReceiveTimestamp', 'MessageGroupId'],
    MessageAttributeNames: ['All'],
  });
  const limitMs = request.waitSeconds * 1_000 + ANSWER_GRACE_MS;
  const answer = await within(limitMs, 'receive messages', (options) => client.send(command, options));
  return (answer.Messages ?? []).flatMap(toReceived);
}

function toReceived(message: Message): ReceivedMessage[] {
  // Without these two nothing can be done with a message, not even giving it back.
  if (message.MessageId === undefined || message.ReceiptHandle === undefined) return [];
  const system: Readonly<Record<string, string | undefined>> = message.Attributes ?? {};
  return [
    {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body ?? '',
      attributes: message.MessageAttributes === undefined ? NO_ATTRIBUTES : attributesOf(message.MessageAttributes),
      receiveCount: Number(system['ApproximateReceiveCount'] ?? '1'),
      firstReceivedAt: toNumber(system['ApproximateFirstReceiveTimestamp']),
      groupId: system['MessageGroupId'] ?? null,
    },
  ];
}

function toNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
