import { Failure } from '../failure/failure.ts';
import type { Clock } from '../time/clock.ts';
import { giveBack, handBack, type HeldMessage, type SettleDeps } from './settle-message.ts';
import type { Slot } from './slots.ts';
import type { WaitFacts } from './wait-plan.ts';
import type { Wait, WaitingRoom } from './waiting-room.ts';

export interface WaitDeps {
  readonly clock: Clock;
  readonly settle: SettleDeps;
  readonly waiting: WaitingRoom;
}

/** Kept of the time of one receive, so that it ends by our hand. */
const LEAVE_SECONDS = 120;
const FULL_BASE_SECONDS = 30;
const FULL_CAP_SECONDS = 900;

/**
 * Lets a message wait without a slot. `ready`: it has one again and may go on; `in-vain`: what it waits for does not come, which is the
 * caller's to settle. `over`: its lease is lost, or it was given back, because the worker ends, too many wait already, or it has waited for
 * as long as one receive can last.
 */
export async function waitUnderLease(
  { clock, settle, waiting }: WaitDeps,
  held: HeldMessage,
  slot: Slot,
  wait: Omit<Wait, 'leftSeconds'> & {
    readonly detail: string;
    readonly failure?: Failure;
    readonly isAgain?: boolean;
  },
): Promise<'ready' | 'in-vain' | 'over'> {
  const { messageId, receiveCount } = held.message;
  const { why, detail, seconds } = wait;
  // Each look after the first would say the same.
  settle.logger[wait.isAgain === true ? 'debug' : 'info'](
    { messageId, why, detail, seconds },
    'a message waits under its lease',
  );
  settle.events.emit('message:waiting', { messageId, why, seconds });
  const { lease } = held;
  const leftSeconds = (): number =>
    lease.grantableSeconds(lease.queue.limits.inFlightSeconds, clock.now()) - LEAVE_SECONDS;
  const end = await waiting.wait(held, slot, { ...wait, leftSeconds });
  if (end === 'full') {
    const delay = Math.min(FULL_BASE_SECONDS * 2 ** (receiveCount - 1), FULL_CAP_SECONDS);
    await giveBack(settle, held, { afterSeconds: delay, why: 'too many messages wait already', burns: 'full' });
  }
  if (end === 'too-long') await handBack(settle, held, wait.failure ?? waitedTooLong(detail), 'cap');
  if (end === 'closed') await handBack(settle, held, 'shutdown');
  return end === 'ready' || end === 'in-vain' ? end : 'over';
}

/** What decides how long a message waits until it is looked at again. */
export function waitFacts(
  { lease, facts }: Pick<HeldMessage, 'lease' | 'facts'>,
  { clock, settle }: WaitDeps,
): WaitFacts {
  return {
    ...facts,
    isOrdered: lease.queue.isOrdered,
    now: clock.now(),
    maxSeconds: settle.settings.maxRetryDelaySeconds ?? Infinity,
  };
}

function waitedTooLong(detail: string): Failure {
  return new Failure('INTERRUPTED', `it waited for as long as one receive can last: ${detail}`);
}
