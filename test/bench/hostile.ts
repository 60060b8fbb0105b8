import { monitorEventLoopDelay } from 'node:perf_hooks';
import { toFailure } from '../../src/failure/classify.ts';
import type { Failure } from '../../src/failure/failure.ts';
import { errorEventRow } from '../../src/persistence/error-event.ts';
import { MAX_BODY_BYTES, parseMessage } from '../../src/queue/messages/parse-message.ts';
import type { ReceivedMessage } from '../../src/queue/received-message.ts';
import { deadLetterAttributes } from '../../src/queue/sqs/dead-letter.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { systemClock } from '../../src/time/clock.ts';
import { Statistics } from '../../src/worker/statistics.ts';
import { WorkerEventBus } from '../../src/worker/events.ts';
import { Worker } from '../../src/worker/worker.ts';
import { FakeQueue } from '../harness/fake-queue.ts';
import { median, rounded } from './figures.ts';
import { thisMachine } from './machine.ts';

const ROUNDS = 25;
const MESSAGES = 1_000;
const AIM_MS = 10;

/** Bodies as large as the worker takes them, each slow for another reason. */
const BODIES: Readonly<Record<string, string>> = {
  'opened passwords and addresses': filled('password="a://b:'),
  'words of presigned URLs': filled('https://a?X-Amz-Signature=b&'),
  backslashes: filled('\\'),
  'no JSON until its end': `{"a":"${filled('x').slice(8)}`,
  'deep arrays': `${'['.repeat(MAX_BODY_BYTES / 2)}${']'.repeat(MAX_BODY_BYTES / 2)}`,
  'long names of fields': JSON.stringify(Object.fromEntries(wide(8, 32_000))),
  'many fields': JSON.stringify(Object.fromEntries(wide(16_000, 8)))
    .slice(0, MAX_BODY_BYTES - 1)
    .replace(/,[^,]*$/, '}'),
  'many records, the last one broken': records(),
  'a long bucket': JSON.stringify({ bucket: filled('password=').slice(64), key: '' }),
  'a body over the limit': filled('password="a://b:').repeat(4),
};

function filled(piece: string): string {
  return piece.repeat(Math.ceil(MAX_BODY_BYTES / piece.length)).slice(0, MAX_BODY_BYTES);
}

function wide(count: number, length: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`${index}${'password=a:'.repeat(length / 11)}`, 1]);
}

function records(): string {
  const good = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'b' }, object: { key: 'k' } } };
  // As many as are accepted.
  const count = 999;
  return JSON.stringify({
    Records: [...Array.from({ length: count }, () => good), { eventName: 'ObjectCreated:Put' }],
  });
}

/**
 * What a hostile message costs: milliseconds from its body to all that is told of its rejection, and the longest pauses of the event loop
 * while an engine takes a thousand of them from a queue in memory.
 */
export async function benchHostile(): Promise<object> {
  const rejection = Object.fromEntries(Object.entries(BODIES).map(([name, body]) => [name, timesOf(body)]));
  const slowest = Math.max(...Object.values(rejection).map(({ medianMs }) => medianMs));
  return {
    machine: thisMachine(),
    aims: { rejectionMs: AIM_MS },
    bodyBytes: MAX_BODY_BYTES,
    rejection,
    slowestMs: slowest,
    engine: await engineUnder(Object.values(BODIES)),
  };
}

interface RejectionTimes {
  /** By the clock, which other work on the machine makes longer. */
  readonly medianMs: number;
  readonly bestMs: number;
  /** The first one, most often, whose code is not compiled yet. */
  readonly longestMs: number;
  /** Of the processor, in this thread, on average. */
  readonly cpuMs: number;
}

function timesOf(body: string): RejectionTimes {
  let told = 0;
  const logger = loggerTo((line) => (told += line.length));
  const times: number[] = [];
  const cpu = process.threadCpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    told += reject(body, logger);
    times.push(performance.now() - started);
  }
  if (told === 0) throw new Error('nothing was told of the rejection');
  const { user, system } = process.threadCpuUsage(cpu);
  return {
    medianMs: rounded(median(times)),
    bestMs: rounded(Math.min(...times)),
    longestMs: rounded(Math.max(...times)),
    cpuMs: rounded((user + system) / 1_000 / ROUNDS),
  };
}

/** Parse, failure, log line with the error, dead-letter attributes, error row; answers with the length of what was told. */
function reject(body: string, logger: ReturnType<typeof createLogger>): number {
  const message: ReceivedMessage = {
    messageId: 'hostile',
    receiptHandle: 'r',
    body,
    attributes: {},
    receiveCount: 1,
    firstReceivedAt: 0,
    groupId: null,
  };
  const failure = refusalOf(body);
  logger.warn({ messageId: message.messageId, code: failure.code, err: failure }, failure.message);
  const attributes = deadLetterAttributes(message, { failure, workerVersion: '1', correlationId: 'c' });
  return JSON.stringify([attributes, errorEventRow(failure, { messageId: message.messageId, body })]).length;
}

function refusalOf(body: string): Failure {
  try {
    parseMessage(body);
  } catch (error) {
    return toFailure(error);
  }
  throw new Error('a hostile body was taken for a good one');
}

async function engineUnder(bodies: readonly string[]): Promise<object> {
  const queue = new FakeQueue({ clock: systemClock });
  const logger = loggerTo(() => undefined);
  const events = new WorkerEventBus(logger);
  const statistics = new Statistics(events);
  const worker = new Worker({
    queues: [{ name: 'videos', weight: 1, messages: queue }],
    concurrency: 10,
    processJob: async () => ({ kind: 'ack', outcome: 'ignored' }),
    settings: {
      visibilitySeconds: 60,
      waitSeconds: 1,
      maxProcessingSeconds: 60,
      unwindMs: 1_000,
      workerVersion: 'bench',
    },
    logger,
    events,
  });
  for (let index = 0; index < MESSAGES; index += 1) queue.send(bodies[index % bodies.length] ?? '');
  const done = Promise.withResolvers<void>();
  let left = MESSAGES;
  events.on('message:deleted', () => {
    left -= 1;
    if (left === 0) done.resolve();
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  worker.start();
  await done.promise;
  const seconds = (performance.now() - started) / 1_000;
  delay.disable();
  await worker.drainNow('end');
  return {
    messages: MESSAGES,
    rejected: statistics.summary().failed,
    seconds: rounded(seconds),
    millisecondsEach: rounded((seconds * 1_000) / MESSAGES),
    pauseMs: { longest: rounded(delay.max / 1e6), p99: rounded(delay.percentile(99) / 1e6) },
  };
}

function loggerTo(write: (line: string) => unknown): ReturnType<typeof createLogger> {
  return createLogger({ level: 'info', format: 'json', name: 'bench', destination: { write } });
}
