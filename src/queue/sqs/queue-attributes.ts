import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { within } from './within.ts';

export interface QueueAttributes {
  readonly url: string;
  readonly isFifo: boolean;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly redrive: { readonly deadLetterArn: string; readonly maxReceiveCount: number } | null;
}

export interface QueueFinding {
  readonly severity: 'warning' | 'error';
  readonly text: string;
}

const CALL_TIMEOUT_MS = 10_000;
const redriveSchema = z.object({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.union([z.number(), z.string()]).transform(Number),
});

/** Reads what the worker must know of a queue. Throws the SDK's error when the queue cannot be read. */
export async function readQueueAttributes(
  client: SQSClient,
  url: string,
  signal: AbortSignal,
): Promise<QueueAttributes> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
  const answer = await within(CALL_TIMEOUT_MS, 'read the queue', (options) => client.send(command, options), signal);
  const attributes: Readonly<Record<string, string | undefined>> = answer.Attributes ?? {};
  return {
    url,
    isFifo: url.endsWith('.fifo'),
    visibilitySeconds: Number(attributes['VisibilityTimeout'] ?? '30'),
    retentionSeconds: Number(attributes['MessageRetentionPeriod'] ?? '345600'),
    redrive: parseRedrive(attributes['RedrivePolicy']),
  };
}

/** Where the queue's own redrive policy sends messages; null without one or where the queue cannot be looked up. */
export async function findDeadLetterUrl(
  client: SQSClient,
  attributes: QueueAttributes,
  signal: AbortSignal,
): Promise<string | null> {
  if (attributes.redrive === null) return null;
  const [account, name] = attributes.redrive.deadLetterArn.split(':').slice(-2);
  if (account === undefined || name === undefined) return null;
  const command = new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
  const answer = await within(
    CALL_TIMEOUT_MS,
    'look up the dead-letter queue',
    (options) => client.send(command, options),
    signal,
  );
  return answer.QueueUrl ?? null;
}

/** What an operator should change before trusting the queue with hours of work. */
export function checkQueue(attributes: QueueAttributes, settings: { deadLetterUrl: string | null }): QueueFinding[] {
  const findings: QueueFinding[] = [];
  const { redrive, url } = attributes;
  if (redrive === null && settings.deadLetterUrl === null) {
    findings.push({
      severity: 'warning',
      text: `${url} has no dead-letter queue: a message that can never work comes back until its retention ends`,
    });
  }
  if (redrive !== null && redrive.maxReceiveCount < 3) {
    findings.push({
      severity: 'warning',
      text: `${url} allows ${redrive.maxReceiveCount} receives: an interrupted job uses one up, set maxReceiveCount to 5`,
    });
  }
  if (attributes.isFifo) {
    findings.push({ severity: 'warning', text: `${url} is FIFO: a dead-lettered message is overtaken by its group` });
  }
  return findings;
}

function parseRedrive(text: string | undefined): QueueAttributes['redrive'] {
  if (text === undefined || text === '') return null;
  const policy = redriveSchema.parse(JSON.parse(text));
  return { deadLetterArn: policy.deadLetterTargetArn, maxReceiveCount: policy.maxReceiveCount };
}
