import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
  type ReceiveMessageCommandOutput,
} from '@aws-sdk/client-sqs';
import { startSqsProcess } from '../../harness/sqs-process.ts';

/** Calls of watched clients, by what they are for. */
export interface CallCounts {
  receive: number;
  delete: number;
  visibility: number;
  other: number;
}

/** What a watched client was seen doing. */
export interface Watch {
  readonly calls: CallCounts;
  /** The newest receipt handle by message id. */
  readonly receipts: ReadonlyMap<string, string>;
  /** Resolves when a receive call leaves the client. */
  readonly receiving: Promise<void>;
  /** Resolves when a message was delivered. */
  readonly delivered: Promise<void>;
  watch(client: SQSClient): void;
}

/** One SQS server in a process of its own, where contenders take turns on queues of their own. */
export interface Arena extends AsyncDisposable {
  readonly endpoint: string;
  createQueue(): Promise<string>;
  send(queueUrl: string, keys: readonly string[]): Promise<void>;
  /** Messages in the queue, hidden ones included. */
  left(queueUrl: string): Promise<number>;
  /** What somebody else gets from the queue within `waitSeconds`, and hides from the others for a minute. */
  receive(queueUrl: string, waitSeconds: number): Promise<number>;
  /** Somebody else deletes the message. */
  delete(queueUrl: string, receiptHandle: string): Promise<void>;
}

export async function openArena(): Promise<Arena> {
  const server = await startSqsProcess();
  const sqs = server.clients.control;
  return {
    endpoint: server.endpoint,
    createQueue: async () => {
      const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID() }));
      return QueueUrl;
    },
    send: async (queueUrl, keys) => {
      for (let start = 0; start < keys.length; start += 10) {
        const Entries = keys.slice(start, start + 10).map((key, index) => ({
          Id: String(index),
          MessageBody: JSON.stringify({ bucket: 'b', key }),
        }));
        await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      }
    },
    left: async (queueUrl) => {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
      const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }));
      return names.reduce((sum, name) => sum + Number(answer.Attributes?.[name] ?? 0), 0);
    },
    receive: async (queueUrl, waitSeconds) => {
      const request = { QueueUrl: queueUrl, WaitTimeSeconds: waitSeconds, VisibilityTimeout: 60 };
      return (await sqs.send(new ReceiveMessageCommand(request))).Messages?.length ?? 0;
    },
    delete: async (queueUrl, receiptHandle) => {
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Counts calls and keeps receipt handles by the clients' outermost middleware. */
export function createWatch(): Watch {
  const calls: CallCounts = { receive: 0, delete: 0, visibility: 0, other: 0 };
  const receipts = new Map<string, string>();
  const receiving = Promise.withResolvers<void>();
  const delivered = Promise.withResolvers<void>();
  return {
    calls,
    receipts,
    receiving: receiving.promise,
    delivered: delivered.promise,
    watch: (client) => {
      client.middlewareStack.add(
        (next, context) => async (args) => {
          const kind = kindOf(context.commandName ?? '');
          calls[kind] += 1;
          if (kind === 'receive') receiving.resolve();
          const result = await next(args);
          const { Messages = [] } = kind === 'receive' ? (result.output as ReceiveMessageCommandOutput) : {};
          for (const { MessageId = '', ReceiptHandle = '' } of Messages) receipts.set(MessageId, ReceiptHandle);
          if (Messages.length > 0) delivered.resolve();
          return result;
        },
        { step: 'initialize', name: 'watch' },
      );
    },
  };
}

function kindOf(command: string): keyof CallCounts {
  if (command.startsWith('ReceiveMessage')) return 'receive';
  if (command.startsWith('DeleteMessage')) return 'delete';
  return command.startsWith('ChangeMessageVisibility') ? 'visibility' : 'other';
}
