import { factsOf, type Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { storableText } from './rows.ts';

/** Bodies may hold what their sender did not mean to publish; the beginning is enough to recognise the form. */
const MAX_EXCERPT = 500;
const MAX_REASON = 2_000;

export interface ErrorContext {
  readonly messageId?: string;
  readonly job?: { readonly bucket: string; readonly key: string };
  readonly body?: string;
  readonly worker?: string;
  /** The id that the message named. */
  readonly externalId?: string | null;
}

/** The row of a failure: bounded, and free of what PostgreSQL cannot store. */
export function errorEventRow(failure: Failure, context: ErrorContext = {}): Prisma.ErrorEventUncheckedCreateInput {
  return {
    code: failure.code,
    class: failure.class,
    reason: bounded(failure.message, MAX_REASON),
    details: storableDetails(failure),
    stage: failure.stage,
    messageId: context.messageId === undefined ? null : bounded(context.messageId, MAX_EXCERPT),
    externalId: context.externalId ?? null,
    bucket: context.job === undefined ? null : storableText(context.job.bucket),
    key: context.job === undefined ? null : storableText(context.job.key),
    excerpt: context.body === undefined ? null : bounded(context.body, MAX_EXCERPT),
    worker: context.worker ?? null,
  };
}

function bounded(text: string, limit: number): string {
  return storableText(text.slice(0, limit));
}

function storableDetails(failure: Failure): Prisma.InputJsonObject {
  return Object.fromEntries(
    Object.entries(factsOf(failure)).map(([name, value]) => [
      storableText(name),
      typeof value === 'string' ? bounded(value, MAX_EXCERPT) : value,
    ]),
  );
}
