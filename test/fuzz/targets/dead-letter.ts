import { deadLetterLines, reportDeadLetter } from '../../../src/cli/dead-letter-report.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { deadLetterAttributes } from '../../../src/queue/sqs/dead-letter.ts';
import type { MessageAttribute, ReceivedMessage } from '../../../src/queue/received-message.ts';
import { writtenReason } from '../../../src/queue/written-reason.ts';
import { must, type Target } from '../engine/target.ts';

const MAX_ATTRIBUTES = 10;
/** What SQS takes in an attribute: the characters of XML. */
// oxlint-disable-next-line no-control-regex
const TAKEN = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u;

/** A message that was given up: its attributes, as an object of texts, are those of its sender or of a worker before this one. */
export const target: Target = {
  covers: ['written-reason.ts', 'dead-letter-facts.ts', 'sqs/dead-letter.ts', 'dead-letter-report.ts'],
  maxBytes: 1 << 18,
  form: 'json',
  words: [
    'failure_code',
    'failure_class',
    'failure_reason',
    'failure_context',
    'failure_attempt',
    'worker_version',
    'original_message_id',
    'first_received_at',
    'correlation_id',
    'unknown',
    'dropped_attributes',
    'NaN',
    '1e999',
    '{"failure_code":"NETWORK"}',
  ],
  check: (input) => {
    const attributes = attributesFrom(input.toString());
    if (attributes === null) return;
    const read = writtenReason(attributes);
    must(read === null || read.attempt === null || Number.isFinite(read.attempt), `an attempt of ${read?.attempt}`);
    const letter = {
      messageId: 'id',
      body: input.toString(),
      attributes,
      sentAt: 0,
      firstReceivedAt: null,
      sourceArn: null,
    };
    const report = reportDeadLetter(letter, 5);
    deadLetterLines({ queue: 'q', messages: [report], isWhole: true });
    checkCopy(attributes, input.toString());
  },
};

/** What a worker writes onto the copy can be sent, and is read back as it was written. */
function checkCopy(attributes: Readonly<Record<string, MessageAttribute>>, text: string): void {
  const message: ReceivedMessage = {
    messageId: 'id',
    receiptHandle: 'handle',
    body: text,
    attributes,
    receiveCount: 3,
    firstReceivedAt: 0,
    groupId: null,
  };
  const failure = new Failure('MESSAGE_NOT_JSON', text);
  const copy = deadLetterAttributes(message, { failure, workerVersion: '1', correlationId: 'c' });
  const own = Object.entries(copy).filter(([name]) => copy[name] !== attributes[name]);
  must(Object.keys(copy).length <= MAX_ATTRIBUTES, `${Object.keys(copy).length} attributes, SQS takes ten`);
  for (const [name, { value }] of own) must(typeof value === 'string' && TAKEN.test(value), `SQS refuses ${name}`);
  const back = writtenReason(copy);
  must(back?.code === 'MESSAGE_NOT_JSON' && back.class === 'permanent', 'the code of a copy is not read back');
  must(back.attempt === 3 && back.correlationId === 'c' && back.originalMessageId === 'id', 'a fact is not read back');
}

function attributesFrom(text: string): Readonly<Record<string, MessageAttribute>> | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null) return null;
  const named = Object.entries(json).filter(([name]) => /^[\w.-]{1,256}$/.test(name));
  return Object.fromEntries(
    named.map(([name, value]) => [
      name,
      { type: 'String', value: typeof value === 'string' ? value : JSON.stringify(value) },
    ]),
  );
}
