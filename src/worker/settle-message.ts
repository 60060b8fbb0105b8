import type { LeaseKeeper } from '../queue/lease-keeper.ts';
import type { Lease } from '../queue/lease.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import type { Settler } from '../queue/settler.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Disposition, Settled } from '../failure/disposition.ts';
import type { WorkerEventBus } from './events.ts';
import { retryDelaySeconds } from '../failure/retry-delay.ts';

export interface SettlingSettings {
  readonly workerVersion: string;
  /** Cap of every delay with which a message is given back; the queue's own limit when absent. */
  readonly maxRetryDelaySeconds?: number;
}

export interface SettleDeps {
  readonly keeper: LeaseKeeper;
  readonly settler: Settler;
  readonly events: WorkerEventBus;
  readonly logger: Logger;
  readonly settings: SettlingSettings;
}

/** Does to the message what its run decided. Never rejects: the end of a message never changes the outcome of its job. */
export async function settleMessage(
  deps: SettleDeps,
  message: ReceivedMessage,
  lease: Lease,
  disposition: Disposition,
): Promise<Settled> {
  switch (disposition.kind) {
    case 'ack':
      return await acknowledge(deps, message, lease);
    case 'retry':
      return await giveBack(deps, lease, disposition.afterSeconds, disposition.failure.code);
    case 'wait':
      return await giveBack(deps, lease, disposition.afterSeconds, disposition.detail);
    case 'reject':
      return await reject(deps, message, lease, disposition);
    case 'halt':
      return await giveBack(deps, lease, 0, disposition.failure.code);
    case 'abandon':
      return await giveBack(deps, lease, 0, disposition.why);
  }
}

async function acknowledge(deps: SettleDeps, message: ReceivedMessage, lease: Lease): Promise<Settled> {
  const { messageId } = message;
  const result = await deps.settler.acknowledge(lease);
  if (result === 'deleted') deps.events.emit('message:deleted', { messageId });
  if (result === 'remembered') {
    deps.logger.warn({ messageId }, 'the work is done but the message could not be deleted; a redelivery will be');
    deps.events.emit('message:remembered', { messageId });
  }
  if (result === 'lost') deps.logger.warn({ messageId }, 'not deleted: the lease is lost');
  return result;
}

/** Gives the message back and tells; with a lost lease there is nothing to give. */
export async function giveBack(deps: SettleDeps, lease: Lease, delaySeconds: number, why: string): Promise<Settled> {
  const { messageId } = lease;
  const afterSeconds = Math.min(delaySeconds, deps.settings.maxRetryDelaySeconds ?? Infinity);
  const wasLost = lease.state === 'lost';
  const done = await deps.settler.giveBack(lease, afterSeconds);
  if (done) {
    deps.events.emit('message:given-back', { messageId, afterSeconds, why });
    return 'given-back';
  }
  deps.logger.warn(
    { messageId, why },
    wasLost ? 'not given back: the lease is lost' : 'not given back: the call failed',
  );
  return wasLost ? 'lost' : 'left';
}

async function reject(
  deps: SettleDeps,
  message: ReceivedMessage,
  lease: Lease,
  disposition: Extract<Disposition, { kind: 'reject' }>,
): Promise<Settled> {
  const { failure } = disposition;
  const { messageId } = message;
  const delay = retryDelaySeconds(failure, message.receiveCount);
  if (lease.queue.deadLetter === null) {
    // Deleting would lose the message for good: its queue's redrive policy counts the receives and takes it.
    deps.logger.error({ messageId, code: failure.code }, 'no dead-letter queue is known, left to the redrive policy');
    return await giveBack(deps, lease, delay, failure.code);
  }
  try {
    await deps.keeper.confirm(lease);
    await lease.queue.deadLetter(message, {
      failure,
      workerVersion: deps.settings.workerVersion,
      correlationId: messageId,
    });
  } catch (error) {
    deps.logger.error({ err: error, messageId, code: failure.code }, 'the dead-letter copy could not be sent');
    return await giveBack(deps, lease, delay, failure.code);
  }
  deps.events.emit('message:dead-lettered', { messageId, code: failure.code });
  await acknowledge(deps, message, lease);
  return 'dead-lettered';
}
