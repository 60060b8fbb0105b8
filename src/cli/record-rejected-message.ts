import type { Failure } from '../failure/failure.ts';
import type { Database } from '../persistence/client.ts';
import { recordRejection } from '../persistence/record-rejection.ts';
import { idOf } from '../queue/messages/message-id.ts';
import { textAttributes, type ReceivedMessage } from '../queue/received-message.ts';

/** Records a message that named no job, under the backend's id where that much of it can be read. */
export async function recordRejectedMessage(
  db: Database,
  message: ReceivedMessage,
  { failure, worker }: { readonly failure: Failure; readonly worker: string },
  signal: AbortSignal,
): Promise<void> {
  const { messageId, body } = message;
  const externalId = idOf(body, textAttributes(message));
  await recordRejection(db, { messageId, failure, isFinal: true, externalId, body, worker }, signal);
}
