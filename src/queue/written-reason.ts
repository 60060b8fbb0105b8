import { z } from 'zod';
import type { MessageAttribute } from './received-message.ts';

/** What a worker wrote onto the copy of a message that it gave up. */
export interface WrittenReason {
  readonly code: string;
  readonly class: string | null;
  readonly reason: string | null;
  readonly attempt: number | null;
  readonly workerVersion: string | null;
  readonly originalMessageId: string | null;
  readonly correlationId: string | null;
  readonly firstReceivedAt: string | null;
}

const contextSchema = z.record(z.string(), z.unknown());

/** Reads the attributes of a dead letter, whether they stand side by side or folded; null where no worker wrote any. */
export function writtenReason(attributes: Readonly<Record<string, MessageAttribute>>): WrittenReason | null {
  const folded = contextOf(textOf(attributes['failure_context']));
  const read = (name: string): string | null => {
    const text = textOf(attributes[name]) ?? folded[name];
    return typeof text === 'string' && text !== 'unknown' ? text : null;
  };
  const code = read('failure_code');
  if (code === null) return null;
  const attempt = Number(read('failure_attempt') ?? Number.NaN);
  return {
    code,
    class: read('failure_class'),
    reason: read('failure_reason'),
    attempt: Number.isFinite(attempt) ? attempt : null,
    workerVersion: read('worker_version'),
    originalMessageId: read('original_message_id'),
    correlationId: read('correlation_id'),
    firstReceivedAt: read('first_received_at'),
  };
}

function textOf(attribute: MessageAttribute | undefined): string | null {
  return typeof attribute?.value === 'string' ? attribute.value : null;
}

/** Anybody may write an attribute of that name: what is no JSON object says nothing. */
function contextOf(text: string | null): Readonly<Record<string, unknown>> {
  if (text === null) return {};
  try {
    return contextSchema.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}
