import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { deadLetterFacts } from '../dead-letter-facts.ts';
import type { DeadLetterReason } from '../message-queue.ts';
import type { MessageAttribute, ReceivedMessage } from '../received-message.ts';
import { toSqsAttributes } from './attributes.ts';
import { within } from './within.ts';

type Attributes = Readonly<Record<string, MessageAttribute>>;

const CALL_TIMEOUT_MS = 10_000;
const MAX_ATTRIBUTES = 10;
/** SQS counts the body and the names, types and values of the attributes together. A queue may be set to take less. */
const MAX_MESSAGE_BYTES = 1_048_576;
/** What SQS refuses in an attribute: control characters other than tab and line ends, and halves of surrogate pairs. */
// oxlint-disable-next-line no-control-regex
const REFUSED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu;

/**
 * Puts a copy with the reason into the dead-letter queue. The delete of the original comes after it: between the two a
 * crash makes a second copy, never a loss.
 */
export async function sendToDeadLetter(
  client: SQSClient,
  deadLetterUrl: string,
  message: ReceivedMessage,
  reason: DeadLetterReason,
): Promise<void> {
  const send = async (most: number): Promise<void> => {
    const { body, attributes } = fitted(message, most, deadLetterAttributes(message, reason), () =>
      deadLetterAttributes({ ...message, attributes: {} }, reason),
    );
    const command = new SendMessageCommand({
      QueueUrl: deadLetterUrl,
      // SQS takes no empty body.
      MessageBody: body === '' ? ' ' : body,
      MessageAttributes: toSqsAttributes(attributes),
      ...(deadLetterUrl.endsWith('.fifo')
        ? { MessageGroupId: message.groupId ?? 'dead-letter', MessageDeduplicationId: message.messageId }
        : {}),
    });
    await within(CALL_TIMEOUT_MS, 'send the dead-letter copy', (options) => client.send(command, options));
  };
  try {
    await send(MAX_MESSAGE_BYTES);
  } catch (error) {
    const most = mostBytes(error);
    if (most === null) throw error;
    await send(most);
  }
}

/** What the queue takes at most, where it refused a copy for its size; null: it did not. Its words alone say it. */
function mostBytes(error: unknown): number | null {
  const words = error instanceof Error ? /must be shorter than (\d{1,9}) bytes/.exec(error.message) : null;
  return words === null ? null : Number(words[1]);
}

/**
 * The original attributes with the reason beside them, ten at most. Where the eight facts of ours do not fit, the five that
 * identify fold into one JSON attribute; originals that still do not fit are named in it.
 */
export function deadLetterAttributes(message: ReceivedMessage, why: DeadLetterReason): Attributes {
  const { reason, context } = deadLetterFacts(message, why);
  const own = new Set([...Object.keys(reason), ...Object.keys(context), 'failure_context']);
  const originals = Object.entries(message.attributes).filter(([name]) => !own.has(name));
  if (originals.length + 8 <= MAX_ATTRIBUTES) {
    return { ...Object.fromEntries(originals), ...texts({ ...reason, ...context }) };
  }
  const kept = originals.slice(0, MAX_ATTRIBUTES - 4);
  const dropped = originals.slice(kept.length).map(([name]) => name);
  const folded = JSON.stringify(dropped.length === 0 ? context : { ...context, dropped_attributes: dropped });
  return { ...Object.fromEntries(kept), ...texts({ ...reason, failure_context: folded }) };
}

/**
 * A message that was as large as the queue takes them has no room for the reason: its copy is shortened, and says so. Refused as a whole,
 * it would be tried for as long as its lease can last, come back until its receives are used up, and lose the reason.
 */
function fitted(
  message: ReceivedMessage,
  most: number,
  all: Attributes,
  withoutOriginals: () => Attributes,
): { readonly body: string; readonly attributes: Attributes } {
  const bytes = Buffer.byteLength(message.body);
  if (bytes + bytesOf(all) <= most) return { body: message.body, attributes: all };
  const attributes = bytesOf(all) <= most / 2 ? all : withoutOriginals();
  const reason = attributes['failure_reason']?.value ?? '';
  const marked = {
    ...attributes,
    ...texts({ failure_reason: `${String(reason)} (shortened to what SQS takes; the body had ${bytes} bytes)` }),
  };
  const room = Math.max(0, most - bytesOf(marked));
  // As a stream: the bytes of a character that was cut in two are left out.
  const body = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(message.body).subarray(0, room), {
    stream: true,
  });
  return { body, attributes: marked };
}

function bytesOf(attributes: Attributes): number {
  return Object.entries(attributes).reduce(
    (sum, [name, { type, value }]) =>
      sum + Buffer.byteLength(name) + Buffer.byteLength(type) + Buffer.byteLength(value),
    0,
  );
}

function texts(values: Readonly<Record<string, string>>): Attributes {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { type: 'String', value: value.replace(REFUSED, '?') || '-' },
    ]),
  );
}
