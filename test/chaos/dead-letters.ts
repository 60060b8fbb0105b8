import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type MessageAttributeValue,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/** A copy in the dead-letter queue, by its attributes. */
export interface DeadLetter {
  readonly messageId: string;
  /** Null in a message that the queue itself moved after too many receives. */
  readonly failure: { readonly code: string; readonly class: string; readonly reason: string } | null;
  /** Receives up to the one that ended it. */
  readonly receives: number;
  /** Names of facts that should be there and are not. */
  readonly missing: readonly string[];
}

const FACTS = ['failure_attempt', 'worker_version', 'original_message_id', 'first_received_at', 'correlation_id'];

/** Takes what is in the dead-letter queue and deletes it there. */
export async function readDeadLetters(sqs: SQSClient, queueUrl: string): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    if (Messages.length === 0) return letters;
    for (const { MessageId = '', MessageAttributes: attributes = {}, ReceiptHandle } of Messages) {
      letters.push(readLetter(MessageId, attributes));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}

function readLetter(id: string, attributes: Readonly<Record<string, MessageAttributeValue>>): DeadLetter {
  const text = (name: string): string | undefined => attributes[name]?.StringValue;
  // Beside many attributes of the sender's the facts are folded into one.
  const folded = JSON.parse(text('failure_context') ?? '{}') as Readonly<Record<string, string | undefined>>;
  const fact = (name: string): string | undefined => text(name) ?? folded[name];
  const code = text('failure_code');
  return {
    messageId: fact('original_message_id') ?? id,
    failure:
      code === undefined ? null : { code, class: text('failure_class') ?? '', reason: text('failure_reason') ?? '' },
    receives: Number(fact('failure_attempt') ?? 0),
    missing: FACTS.filter((name) => (fact(name) ?? '') === ''),
  };
}
