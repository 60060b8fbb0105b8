import { Failure, type InterruptionKind } from '../failure/failure.ts';
import type { Disposition, Settled } from '../failure/disposition.ts';
import type { ReceiveFacts } from '../failure/receipt.ts';
import { retryDelaySeconds } from '../failure/retry-delay.ts';
import type { LeaseKeeper } from '../queue/lease-keeper.ts';
import type { Lease } from '../queue/lease.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import type { Settler } from '../queue/settler.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { BurntBy, WorkerEventBus } from './events.ts';
import type { GroupPlace } from './fifo-groups.ts';

export interface SettlingSettings {
  readonly workerVersion: string;
  /** Cap of every delay with which a message is given back or waits; the queue's own limit when absent. */
  readonly maxRetryDelaySeconds?: number;
}

export interface SettleDeps {
  readonly keeper: LeaseKeeper;
  readonly settler: Settler;
  readonly events: WorkerEventBus;
  readonly logger: Logger;
  readonly settings: SettlingSettings;
  /** Resolves when no poll of ours is open that could bring in again what is handed back, or when there is no time for that. */
  readonly pollsEnd: () => Promise<unknown>;
  /** Told of a message that goes with a reason though no run of it is there to write that down. */
  readonly onLeft?: (message: ReceivedMessage, failure: Failure) => Promise<void>;
}

/** One receive of a message: what is to be settled. */
export interface HeldMessage {
  readonly message: ReceivedMessage;
  readonly lease: Lease;
  readonly facts: ReceiveFacts;
  /** Ordered queues only. Left here, where the queue's answer is known: whatever call fails, nobody of its group overtakes it. */
  readonly place: GroupPlace | null;
}

/** Does to the message what its run decided. Never rejects: the end of a message never changes the outcome of its job. */
export async function settleMessage(deps: SettleDeps, held: HeldMessage, disposition: Disposition): Promise<Settled> {
  switch (disposition.kind) {
    case 'ack':
      return await acknowledge(deps, held);
    case 'retry':
      return await giveBack(deps, held, {
        afterSeconds: disposition.afterSeconds,
        why: disposition.failure.code,
        burns: null,
      });
    case 'wait':
      // Under a lost lease alone: what still holds one waits, and is not settled.
      return await giveBack(deps, held, {
        afterSeconds: disposition.afterSeconds,
        why: disposition.detail,
        burns: null,
      });
    case 'reject':
      return await reject(deps, held, disposition.failure);
    case 'halt':
      return await handBack(deps, held, disposition.failure);
    case 'abandon':
      return await handBack(deps, held, disposition.why);
  }
}

async function acknowledge(deps: SettleDeps, { lease, place }: HeldMessage): Promise<Settled> {
  const { messageId } = lease;
  const result = await deps.settler.acknowledge(lease);
  // One that could not be deleted comes again before the rest of its group, to whomever.
  place?.leave(result === 'deleted');
  if (result === 'deleted') deps.events.emit('message:deleted', { messageId });
  if (result === 'remembered') {
    deps.logger.warn({ messageId }, 'the work is done but the message could not be deleted; a redelivery will be');
    deps.events.emit('message:remembered', { messageId });
  }
  if (result === 'lost') deps.logger.warn({ messageId }, 'not deleted: the lease is lost');
  return result;
}

export interface GiveBack {
  readonly afterSeconds: number;
  readonly why: string;
  /** Whose fault it is that a receive was used up; null: the message failed. */
  readonly burns: BurntBy | null;
}

/** Gives the message back and tells; with a lost lease there is nothing to give. */
export async function giveBack(
  deps: SettleDeps,
  { lease, place }: Pick<HeldMessage, 'lease' | 'place'>,
  { why, burns, ...back }: GiveBack,
): Promise<Settled> {
  const { messageId } = lease;
  // Before it can come again: it would find itself in front of it.
  place?.leave(false);
  const afterSeconds = Math.min(back.afterSeconds, deps.settings.maxRetryDelaySeconds ?? Infinity);
  const wasLost = lease.state === 'lost';
  const done = await deps.settler.giveBack(lease, afterSeconds);
  if (done) {
    deps.events.emit('message:given-back', { messageId, afterSeconds, why });
    if (burns !== null) deps.events.emit('receive:burnt', { count: 1, by: burns });
    return 'given-back';
  }
  deps.logger.warn(
    { messageId, why },
    wasLost ? 'not given back: the lease is lost' : 'not given back: the call failed',
  );
  return wasLost ? 'lost' : 'left';
}

/**
 * Gives a message back untouched, for what is no fault of its own. At its last receive that would lose it: the queue moves it away
 * without a word, so that it goes with a reason instead.
 */
export async function handBack(
  deps: SettleDeps,
  held: HeldMessage,
  why: Failure | InterruptionKind,
  burns: BurntBy = why instanceof Failure ? 'halt' : 'drain',
): Promise<Settled> {
  const isFailure = why instanceof Failure;
  const isLast = (): boolean => held.lease.state === 'held' && mustLeaveReason(held);
  // Under its lease, which is renewed meanwhile: taken in again, it would use up one more receive.
  if (!isLast()) await deps.pollsEnd();
  // One of the polls may have brought it for the last time.
  if (isLast()) {
    const failure = isFailure ? why : new Failure('INTERRUPTED', `the worker stopped (${why})`);
    return await leaveReason(deps, held, failure);
  }
  return await giveBack(deps, held, { afterSeconds: 0, why: isFailure ? why.code : why, burns });
}

/** What went back at its last receive would be moved away without a word. */
function mustLeaveReason({ facts, lease }: HeldMessage): boolean {
  return facts.isLastReceive && lease.queue.deadLetter !== null;
}

/** Rejects a message of which no run is there to write the reason down: beside the copy, since a process that crashes has little time. */
export async function leaveReason(deps: SettleDeps, held: HeldMessage, failure: Failure): Promise<Settled> {
  const { messageId } = held.message;
  const written = deps.onLeft?.(held.message, failure).catch((error: unknown) => {
    deps.logger.warn({ err: error, messageId }, 'the reason could not be written to the database');
  });
  const [settled] = await Promise.all([reject(deps, held, failure), written]);
  return settled;
}

/**
 * Gives many back at once, as `Settler.giveBackAll` does; those at their last receive go with a reason. Answers with how many went back
 * untouched.
 */
export async function handBackAll(deps: SettleDeps, all: readonly HeldMessage[]): Promise<number> {
  const held = all.filter(({ lease }) => lease.state === 'held' && !deps.settler.isSettling(lease));
  const last = held.filter(mustLeaveReason);
  const others = held.filter((message) => !mustLeaveReason(message));
  const [count] = await Promise.all([
    deps.settler.giveBackAll(others.map(({ lease }) => lease)),
    ...last.map((message) => handBack(deps, message, 'shutdown')),
  ]);
  return count;
}

async function reject(deps: SettleDeps, held: HeldMessage, failure: Failure): Promise<Settled> {
  const { message, lease, facts } = held;
  const { messageId } = message;
  const delay = retryDelaySeconds(failure, message.receiveCount);
  const { deadLetter } = lease.queue;
  if (deadLetter === null) {
    // Deleting would lose the message for good: its queue's redrive policy counts the receives and takes it. What it takes at the next
    // receive never runs again, and where it takes nothing the group would wait for ever.
    if (facts.isLastReceive || lease.queue.maxReceives === null) held.place?.leave(true);
    deps.logger.error({ messageId, code: failure.code }, 'no dead-letter queue is known, left to the redrive policy');
    return await giveBack(deps, held, { afterSeconds: delay, why: failure.code, burns: null });
  }
  try {
    // The lease is renewed while the copy is tried again: the job must not be done a second time for a connection that broke.
    const forMs = facts.isLastReceive ? Infinity : deps.settler.patienceMs(lease);
    let hasFailed = false;
    await deps.settler.insist(lease, forMs, async () => {
      await deps.keeper.confirm(lease);
      const { workerVersion } = deps.settings;
      try {
        await deadLetter(message, { failure, workerVersion, correlationId: messageId });
      } catch (error) {
        // It may be tried for hours, and no slot or dependency tells of it meanwhile.
        if (!hasFailed) {
          deps.logger.warn({ err: error, messageId }, 'a dead-letter copy is not there yet, it is tried again');
        }
        hasFailed = true;
        throw error;
      }
    });
  } catch (error) {
    deps.logger.error({ err: error, messageId, code: failure.code }, 'the dead-letter copy could not be sent');
    return await giveBack(deps, held, { afterSeconds: delay, why: failure.code, burns: null });
  }
  deps.events.emit('message:dead-lettered', { messageId, code: failure.code });
  // Whoever has it may copy it again; here that is known.
  if ((await acknowledge(deps, held)) === 'lost') deps.settler.remember(messageId);
  return 'dead-lettered';
}
