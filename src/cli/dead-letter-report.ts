import type { MessageTraces } from '../persistence/read/message-traces.ts';
import { parseMessage } from '../queue/messages/parse-message.ts';
import type { DeadLetter } from '../queue/sqs/read-dead-letters.ts';
import { writtenReason, type WrittenReason } from '../queue/written-reason.ts';
import type { Line } from './terminal.ts';

/** What a message asked for. */
export interface AskedObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly videoId: string | null;
}

/** A dead letter as an operator wants to know it. */
export interface DeadLetterReport {
  readonly messageId: string;
  /** The message that was received from the worker's queue: the same id where the queue moved it. */
  readonly originalMessageId: string;
  /** Null: the queue moved it by itself, and no reason was left. */
  readonly written: WrittenReason | null;
  readonly sentAt: string | null;
  readonly firstReceivedAt: string | null;
  /** After so many receives the queue moves a message; null where that is not known. */
  readonly movedAfter: number | null;
  /** Empty: its body cannot be read. */
  readonly objects: readonly AskedObject[];
  /** Null: no database was asked. */
  readonly known: MessageTraces | null;
}

export interface DeadLetterQueueReport {
  readonly queue: string;
  /** False: there are more than were asked for. */
  readonly isWhole: boolean;
  readonly messages: readonly DeadLetterReport[];
}

/** Tells what a dead letter says of itself. `movedAfter` is the limit of the queue that would have moved it. */
export function reportDeadLetter(letter: DeadLetter, movedAfter: number | null): DeadLetterReport {
  const written = writtenReason(letter.attributes);
  return {
    messageId: letter.messageId,
    originalMessageId: written?.originalMessageId ?? letter.messageId,
    written,
    sentAt: timeOf(letter.sentAt),
    firstReceivedAt: written?.firstReceivedAt ?? timeOf(letter.firstReceivedAt),
    movedAfter: written === null ? movedAfter : null,
    objects: objectsOf(letter),
    known: null,
  };
}

/** Adds what the database knows of the message and of its objects. */
export function withTraces(report: DeadLetterReport, all: MessageTraces): DeadLetterReport {
  const ids = [report.messageId, report.originalMessageId, report.written?.correlationId];
  return {
    ...report,
    known: {
      errors: all.errors.filter(({ messageId }) => ids.includes(messageId)),
      videos: all.videos.filter((video) =>
        report.objects.some(
          ({ bucket, key, videoId }) =>
            (video.bucket === bucket && video.key === key) || (videoId !== null && video.externalId === videoId),
        ),
      ),
    },
  };
}

function objectsOf({ body, attributes }: DeadLetter): readonly AskedObject[] {
  const texts: Record<string, string> = {};
  for (const [name, { value }] of Object.entries(attributes)) if (typeof value === 'string') texts[name] = value;
  try {
    const parsed = parseMessage(body, texts);
    if (parsed.kind !== 'jobs') return [];
    return parsed.jobs.map(({ bucket, key, versionId, videoId }) => ({ bucket, key, versionId, videoId }));
  } catch {
    // A body that cannot be read is often why it lies here.
    return [];
  }
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** The report in lines for a terminal: a paragraph per message. */
export function deadLetterLines({ queue, messages, isWhole }: DeadLetterQueueReport): readonly Line[] {
  const count = `${messages.length}${isWhole ? '' : ' or more'} dead letter(s) in ${queue}`;
  return [count, ...messages.flatMap((message) => ['', ...paragraph(message)])];
}

function paragraph(report: DeadLetterReport): readonly Line[] {
  const { written, known, objects } = report;
  const lines: readonly Line[] = [
    `${report.messageId}  ${written === null ? 'moved by the queue' : `${written.code} (${written.class ?? 'class unknown'})`}`,
    written === null ? movedText(report) : (written.reason ?? ''),
    `sent ${report.sentAt ?? 'at an unknown time'}, first received ${report.firstReceivedAt ?? 'at an unknown time'}`,
    ...(written === null ? [] : [`receive ${written.attempt ?? '?'} of message ${report.originalMessageId}`]),
    ...objects.map(({ bucket, key, videoId }): Line => [
      `s3://${bucket}/${key}`,
      ...(videoId === null ? [] : [' (video ', videoId, ')']),
    ]),
    ...(objects.length === 0 ? ['the body names no object that can be read'] : []),
    ...(known === null ? [] : knownLines(known)),
  ];
  const [first = '', ...others] = lines.filter((line) => line !== '');
  return [first, ...others.map((line): Line => ['  ', ...(typeof line === 'string' ? [line] : line)])];
}

function movedText({ movedAfter }: DeadLetterReport): string {
  const after = movedAfter === null ? 'its last receive' : `${movedAfter} receives`;
  return `no reason was left: the queue moved it after ${after}`;
}

function knownLines({ errors, videos }: MessageTraces): Line[] {
  const lines: Line[] = [
    ...videos.map(({ externalId, status, failureCode, attempts, outcome, worker }): Line => {
      const run = outcome === null ? '' : `, last run ${outcome} on ${worker ?? 'an unknown worker'}`;
      const code = failureCode === null ? '' : ` (${failureCode})`;
      return ['database: video ', externalId, ` is ${status}${code}, attempts ${attempts}${run}`];
    }),
    ...errors.map(
      ({ at, code, reason, worker }) =>
        `database: ${at.toISOString()} ${code}${worker === null ? '' : ` on ${worker}`}: ${reason}`,
    ),
  ];
  return lines.length === 0 ? ['database: nothing is known of it'] : lines;
}
