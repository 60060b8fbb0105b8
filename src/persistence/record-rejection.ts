import type { Failure } from '../failure/failure.ts';
import type { Database } from './client.ts';
import { databaseCall } from './database-call.ts';
import { errorEventRow } from './error-event.ts';

interface Rejection {
  readonly messageId: string;
  readonly failure: Failure;
  /** The object that the message asked for, as far as it could be understood. */
  readonly job?: { readonly bucket: string; readonly key: string };
  /** The message's body; only its beginning is kept. */
  readonly body?: string;
  readonly worker?: string;
}

/** Records a failure before or without a run: a message that cannot be understood, an object that is not there. */
export async function recordRejection(db: Database, rejection: Rejection, signal: AbortSignal): Promise<void> {
  await databaseCall(db, 'record the rejection', signal, () =>
    db.prisma.errorEvent.create({ data: errorEventRow(rejection.failure, rejection), select: { id: true } }),
  );
}
