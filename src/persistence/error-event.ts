import { factsOf, type Failure } from '../failure/failure.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { bounded, headOf } from '../text/bounded.ts';
import { outsideHead } from '../text/outside-text.ts';
import { storableText } from './rows.ts';

/** UTF-16 units of each text. Of a body the beginning is enough to recognise its form. */
const MAX_EXCERPT = 500;
const MAX_REASON = 2_000;
/** What S3 takes; longer ones name no object. */
const MAX_BUCKET = 255;
const MAX_KEY = 1_024;

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
    reason: storable(failure.message, MAX_REASON),
    details: storableDetails(failure),
    stage: failure.stage,
    messageId: context.messageId === undefined ? null : storableText(headOf(context.messageId, MAX_EXCERPT)),
    externalId: idOrNull(context.externalId),
    bucket: context.job === undefined ? null : storable(context.job.bucket, MAX_BUCKET),
    key: context.job === undefined ? null : storable(context.job.key, MAX_KEY),
    excerpt: context.body === undefined ? null : storableText(outsideHead(context.body, MAX_EXCERPT)),
    worker: context.worker ?? null,
  };
}

function storable(text: string, most: number): string {
  return storableText(bounded(text, most));
}

/** As it is in the table of ids, so that a row is found by it: whoever reads it from a message bounds it. */
function idOrNull(id: string | null | undefined): string | null {
  return id === null || id === undefined ? null : storableText(headOf(id, MAX_EXCERPT));
}

function storableDetails(failure: Failure): Prisma.InputJsonObject {
  return Object.fromEntries(
    Object.entries(factsOf(failure)).map(([name, value]) => [
      storableText(name),
      typeof value === 'string' ? storable(value, MAX_EXCERPT) : value,
    ]),
  );
}
