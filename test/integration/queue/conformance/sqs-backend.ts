import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { attributesOf, toSqsAttributes } from '../../../../src/queue/sqs/attributes.ts';
import { createSqsClients } from '../../../../src/queue/sqs/sqs-client.ts';
import { createSqsQueue } from '../../../../src/queue/sqs/sqs-queue.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../../../harness/local-aws.ts';
import type { QueueBackend } from './suite.ts';

let made = 0;

/** The SQS adapter on a server at this endpoint; its queues are made and looked into by ordinary calls, so any server does. */
export function sqsBackend(endpoint: string, close: () => Promise<void>): QueueBackend {
  const clients = createSqsClients({ region: TEST_REGION, endpoint, credentials: TEST_CREDENTIALS });
  const create = async (isOrdered: boolean): Promise<string> => {
    made += 1;
    const answer = await clients.control.send(
      new CreateQueueCommand({
        QueueName: `conformance-${process.pid}-${made}${isOrdered ? '.fifo' : ''}`,
        ...(isOrdered ? { Attributes: { FifoQueue: 'true' } } : {}),
      }),
    );
    return answer.QueueUrl ?? '';
  };
  return {
    async open({ isOrdered, hasDeadLetters }) {
      const url = await create(isOrdered);
      const deadLetterUrl = hasDeadLetters ? await create(isOrdered) : null;
      let sent = 0;
      return {
        queue: createSqsQueue(clients, { url, deadLetterUrl, redrive: { maxReceives: null } }),
        async send({ body, attributes = {}, groupId }) {
          sent += 1;
          await clients.control.send(
            new SendMessageCommand({
              QueueUrl: url,
              MessageBody: body,
              MessageAttributes: toSqsAttributes(attributes),
              ...(groupId === undefined ? {} : { MessageGroupId: groupId, MessageDeduplicationId: String(sent) }),
            }),
          );
        },
        async deadLetters() {
          const answer = await clients.poll.send(
            new ReceiveMessageCommand({
              QueueUrl: deadLetterUrl ?? '',
              MaxNumberOfMessages: 10,
              WaitTimeSeconds: 1,
              MessageAttributeNames: ['All'],
            }),
          );
          return (answer.Messages ?? []).map(({ Body = '', MessageAttributes = {} }) => ({
            body: Body,
            attributes: attributesOf(MessageAttributes),
          }));
        },
        async destroy() {
          await clients.control.send(new DeleteQueueCommand({ QueueUrl: url }));
          // A server may forget a queue only some time after it has said so.
          for (let isThere = true; isThere;) {
            isThere = await clients.control.send(new GetQueueAttributesCommand({ QueueUrl: url })).then(
              () => true,
              () => false,
            );
          }
        },
      };
    },
    async [Symbol.asyncDispose]() {
      clients[Symbol.dispose]();
      await close();
    },
  };
}
