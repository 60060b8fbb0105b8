import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Config } from '../../config/config.ts';
import { toFailure } from '../../failure/classify.ts';
import { Failure } from '../../failure/failure.ts';
import { openDatabase } from '../../persistence/client.ts';
import { findTraces } from '../../persistence/read/message-traces.ts';
import { findDeadLetterUrl, readQueueAttributes } from '../../queue/sqs/queue-attributes.ts';
import { readDeadLetters } from '../../queue/sqs/read-dead-letters.ts';
import { commandConfig } from '../command-config.ts';
import { MOST_DEAD_LETTERS } from '../dead-letter-limit.ts';
import {
  deadLetterLines,
  reportDeadLetter,
  withTraces,
  type DeadLetterQueueReport,
  type DeadLetterReport,
} from '../dead-letter-report.ts';
import { openClients } from '../open-clients.ts';
import { complain, say, sayJson } from '../terminal.ts';

interface DeadLettersOptions {
  readonly queue?: string;
  readonly json?: boolean;
  readonly limit: string;
}

/** A dead-letter queue, and after how many receives each queue moves its messages there, by the name of the queue. */
interface Place {
  readonly url: string;
  readonly movedAfter: Map<string, number>;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const DATABASE_MS = 30_000;

/** `dead-letters`: shows each message of the dead-letter queues and hides none for good. */
export async function deadLetters(options: DeadLettersOptions): Promise<void> {
  const limit = limitOf(options.limit);
  const config = commandConfig([], { given: { SQS_DLQ_URL: options.queue } });
  refuseWorkersQueues(config);
  using clients = openClients(config);
  using stop = watchStop();
  const reports: DeadLetterQueueReport[] = [];
  for (const { url, movedAfter } of await placesOf(config, clients.sqs, stop.signal)) {
    const { letters, isWhole } = await readDeadLetters(clients.sqs, url, { limit, signal: stop.signal });
    const messages = letters.map((letter) => reportDeadLetter(letter, receivesOf(letter.sourceArn, movedAfter)));
    reports.push({ queue: url, isWhole, messages: await traced(config, messages) });
  }
  if (options.json === true) sayJson({ queues: reports });
  else say(...reports.flatMap((report, index) => [...(index === 0 ? [] : ['']), ...deadLetterLines(report)]));
}

/** Looking costs a receive: in a queue that workers take from, a message could be moved away by it. */
function refuseWorkersQueues({ queue }: Config): void {
  const { deadLetterUrl } = queue;
  if (deadLetterUrl === null || ![queue.url, queue.urlHigh, queue.urlLow].includes(deadLetterUrl)) return;
  throw new Failure('CONFIG_INVALID', `${deadLetterUrl} is a queue that workers take from, not a dead-letter queue`);
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_DEAD_LETTERS) return limit;
  throw new Failure('CONFIG_INVALID', `--limit is "${text}": it must be a whole number from 1 to ${MOST_DEAD_LETTERS}`);
}

/** Where dead letters may lie: where the configuration says, or else wherever the redrive policy of each queue sends them. */
async function placesOf(config: Config, sqs: SQSClient, signal: AbortSignal): Promise<readonly Place[]> {
  const { queue } = config;
  const places = new Map<string, Place>();
  const placeAt = (url: string): Place => {
    const place = places.get(url) ?? { url, movedAfter: new Map<string, number>() };
    places.set(url, place);
    return place;
  };
  if (queue.deadLetterUrl !== null) placeAt(queue.deadLetterUrl);
  for (const url of [queue.urlHigh, queue.url, queue.urlLow]) {
    if (url === null) continue;
    const attributes = await readQueueAttributes(sqs, url, signal);
    const found = queue.deadLetterUrl ?? (await findDeadLetterUrl(sqs, attributes, signal));
    if (found === null) continue;
    const { movedAfter } = placeAt(found);
    if (attributes.redrive !== null) movedAfter.set(nameIn(url), attributes.redrive.maxReceiveCount);
  }
  if (places.size > 0) return [...places.values()];
  throw new Failure(
    'CONFIG_INVALID',
    'no dead-letter queue is known: set SQS_DLQ_URL or --queue, or SQS_QUEUE_URL to a queue with a redrive policy',
  );
}

/** The last part of a URL or of an ARN. */
function nameIn(address: string): string {
  return address.split(/[/:]/).at(-1) ?? '';
}

function receivesOf(sourceArn: string | null, movedAfter: ReadonlyMap<string, number>): number | null {
  if (sourceArn !== null) return movedAfter.get(nameIn(sourceArn)) ?? null;
  const counts = new Set(movedAfter.values());
  return counts.size === 1 ? ([...counts][0] ?? null) : null;
}

/** What the queue says is worth showing without the database, too. */
async function traced(config: Config, messages: readonly DeadLetterReport[]): Promise<readonly DeadLetterReport[]> {
  const { url, schema } = config.database;
  if (url === null || messages.length === 0) return messages;
  const ids = messages.flatMap(({ messageId, originalMessageId, written }) => [
    messageId,
    originalMessageId,
    ...(written?.correlationId === null || written === null ? [] : [written.correlationId]),
  ]);
  try {
    await using database = await openDatabase({ url, schema, poolSize: 1, onlyLooks: true });
    const objects = messages.flatMap((message) => message.objects);
    const traces = await findTraces(database, [...new Set(ids)], objects, AbortSignal.timeout(DATABASE_MS));
    return messages.map((message) => withTraces(message, traces));
  } catch (error) {
    complain(`without the database: ${toFailure(error).message}`);
    return messages;
  }
}

/** A stop makes what is hidden visible again before the command ends. */
function watchStop(): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    stop.abort(new Error(`stopped by ${name}`));
  };
  for (const name of STOP_SIGNALS) process.once(name, onSignal);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      for (const name of STOP_SIGNALS) process.off(name, onSignal);
    },
  };
}
