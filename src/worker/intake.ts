import { setImmediate as nextTurn } from 'node:timers/promises';
import { toFailure } from '../failure/classify.ts';
import type { Disposition } from '../failure/disposition.ts';
import { Failure, withStage } from '../failure/failure.ts';
import { rejectOrRetry } from '../failure/reject-or-retry.ts';
import type { MessageQueue } from '../queue/message-queue.ts';
import type { Job } from '../queue/messages/job.ts';
import { parseMessage, type ParsedMessage } from '../queue/messages/parse-message.ts';
import { textAttributes, type ReceivedMessage } from '../queue/received-message.ts';
import { Arrival } from './arrival.ts';
import { receiveFacts } from './delivery.ts';
import { FifoGroups, type GroupPlace } from './fifo-groups.ts';
import type { InFlight } from './in-flight.ts';
import { MessageRun, type MessageRunDeps } from './message-run.ts';
import type { Received } from './poller.ts';
import { giveBack, handBack, handBackAll, settleMessage, type HeldMessage } from './settle-message.ts';
import type { Slot, Slots } from './slots.ts';
import { WaitPlan } from './wait-plan.ts';
import { waitFacts, waitUnderLease, type WaitDeps } from './wait-under-lease.ts';

/** Below it a body is read in well under a millisecond. */
const LARGE_BODY = 16_384;

export interface IntakeOptions extends WaitDeps {
  readonly inFlight: InFlight;
  readonly slots: Slots;
  readonly run: MessageRunDeps;
  /** False once the worker ends: what still comes in goes back unstarted. */
  readonly isOpen: () => boolean;
  /** More messages are here than may run now. */
  readonly isOverbooked: () => boolean;
  /** This host cannot go on. */
  readonly onHalt: (failure: Failure) => void;
  /** Told how many went back so. */
  readonly onGivenBack: (count: number) => void;
  /** What a message that asks for work is handed on to. */
  readonly handOn: (run: MessageRun, slot: Slot) => Promise<void>;
  /** Told of a message that never became a job, before it is dead-lettered. */
  readonly onRejectedMessage?: (message: ReceivedMessage, failure: Failure) => Promise<void>;
  /** Why a job is none of ours; null: it is. */
  readonly ignores?: (job: Job) => string | null;
}

/**
 * What happens to a message between its receive and its run: a lease is registered, a redelivery recognised, the body parsed, and
 * the order of its group kept. What asks for no work is settled here; the rest is handed on, one run per message.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #groups = new FifoGroups();
  #reading: Promise<void> = Promise.resolve();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  async take({ queue: { messages: queue }, messages, requestedAt }: Received): Promise<void> {
    const { slots, isOpen } = this.#options;
    const isTaken = isOpen();
    const late: Arrival[] = [];
    for (const message of messages) {
      if (this.#adopt(queue, message, requestedAt)) continue;
      const lease = this.#options.settle.keeper.register(queue, message, requestedAt);
      const arrival = new Arrival(message, lease, isTaken ? this.#enter(queue, message) : null);
      if (isTaken) slots.occupy((slot) => this.#recognise(arrival, slot));
      else late.push(arrival);
    }
    if (late.length > 0) await this.#turnAway(late);
  }

  /** What comes in once the worker ends goes back unstarted; what was done here before is deleted instead. */
  async #turnAway(late: readonly Arrival[]): Promise<void> {
    const { settle, inFlight, onGivenBack } = this.#options;
    const { true: done = [], false: others = [] } = Object.groupBy(late, ({ lease }) =>
      settle.settler.isDone(lease.messageId) ? 'true' : 'false',
    );
    const forget = async (arrival: Arrival): Promise<void> => {
      inFlight.hold(arrival);
      await this.#doneBefore(arrival, null);
      inFlight.drop(arrival);
    };
    const goBack = async (): Promise<void> => onGivenBack(await handBackAll(settle, others));
    await Promise.all([...done.map(forget), goBack()]);
  }

  /** Every message of a group, be it a job or not: what it turns out to be is seen when its turn has come. */
  #enter({ id }: MessageQueue, { groupId }: ReceivedMessage): GroupPlace | null {
    return groupId === null ? null : this.#groups.enter(JSON.stringify([id, groupId]));
  }

  /** The same message while its lease is held: what is done with it goes on under the newer receive. */
  #adopt(queue: MessageQueue, message: ReceivedMessage, requestedAt: number): boolean {
    const { inFlight, settle } = this.#options;
    const { messageId, receiptHandle } = message;
    const arrival = inFlight.leased(queue, messageId);
    if (arrival === null) return false;
    settle.keeper.adopt(arrival.lease, receiptHandle, requestedAt);
    arrival.redelivered(message);
    settle.events.emit('message:redelivered', { messageId });
    return true;
  }

  async #recognise(arrival: Arrival, slot: Slot): Promise<void> {
    const { inFlight } = this.#options;
    inFlight.hold(arrival);
    try {
      const run = await this.#toRun(arrival, slot);
      if (run !== null) await this.#order(run, slot);
    } finally {
      inFlight.drop(arrival);
      arrival.place?.leave(false);
    }
  }

  /** Null: it asks for no work, and is settled. */
  async #toRun(arrival: Arrival, slot: Slot): Promise<MessageRun | null> {
    const { message } = arrival;
    if (this.#options.settle.settler.isDone(message.messageId)) {
      await this.#doneBefore(arrival, slot);
      return null;
    }
    if (message.body.length > LARGE_BODY) await this.#ownTurn();
    const parsed = this.#parse(message);
    if (parsed instanceof Error) {
      if (await this.#waitForTurn(arrival, slot)) await this.#reject(arrival, parsed, slot);
      return null;
    }
    if (parsed.kind === 'ignored') {
      await this.#ignore(arrival, parsed.reason, slot);
      return null;
    }
    const reasons = parsed.jobs.map((job) => this.#options.ignores?.(job) ?? null);
    const ours = parsed.jobs.filter((_, index) => reasons[index] === null);
    if (ours.length > 0) return new MessageRun(arrival, ours, this.#options.run);
    await this.#ignore(arrival, reasons[0] ?? 'it asks for nothing', slot);
    return null;
  }

  async #doneBefore(held: HeldMessage, slot: Slot | null): Promise<void> {
    this.#options.settle.events.emit('message:done-before', { messageId: held.message.messageId });
    await this.#settle(held, { kind: 'ack', outcome: 'duplicate' }, slot);
  }

  /** A receive may bring ten bodies that take milliseconds each: between two of them renewals and health checks have their turn. */
  #ownTurn(): Promise<void> {
    this.#reading = this.#reading.then(() => nextTurn());
    return this.#reading;
  }

  #parse(message: ReceivedMessage): ParsedMessage | Failure {
    try {
      return parseMessage(message.body, textAttributes(message));
    } catch (error) {
      return withStage(toFailure(error), 'message');
    }
  }

  async #ignore(held: HeldMessage, reason: string, slot: Slot): Promise<void> {
    const { events, logger } = this.#options.settle;
    const { messageId } = held.message;
    logger.info({ messageId }, `ignored: ${reason}`);
    events.emit('message:ignored', { messageId, reason });
    await this.#settle(held, { kind: 'ack', outcome: 'ignored' }, slot);
  }

  async #reject(held: HeldMessage, failure: Failure, slot: Slot): Promise<void> {
    const { settle, onRejectedMessage } = this.#options;
    const { messageId } = held.message;
    settle.logger.warn({ messageId, code: failure.code }, failure.message);
    settle.events.emit('message:rejected', { messageId, failure });
    const record = async (): Promise<void> => await onRejectedMessage?.(held.message, failure);
    const plan = new WaitPlan();
    for (let failedHere = 0; ; failedHere += 1) {
      const facts = receiveFacts(held.lease.queue, held.message, failedHere);
      const disposition = await rejectOrRetry(failure, facts, record);
      if (disposition.kind === 'halt') this.#options.onHalt(disposition.failure);
      const next = plan.after(disposition, waitFacts({ lease: held.lease, facts }, this.#options));
      if ('kind' in next) {
        await this.#settle(held, next, slot);
        return;
      }
      if ((await waitUnderLease(this.#options, held, slot, next)) !== 'ready') return;
    }
  }

  async #order(run: MessageRun, slot: Slot): Promise<void> {
    const { inFlight, waiting, handOn } = this.#options;
    // Its run was aborted with its lease and may not have returned.
    const before = inFlight.ofMessage(run.message.messageId);
    inFlight.add(run);
    try {
      const mayRun =
        (before.length === 0 || (await this.#waitForRuns(before, run, slot))) &&
        (await this.#waitForTurn(run, slot)) &&
        (!this.#options.isOverbooked() || (await this.#waitForSlot(run, slot)));
      if (mayRun) await handOn(run, slot);
    } finally {
      inFlight.remove(run);
      run.leave();
      waiting.wake((other, why) => why === 'object' && other instanceof MessageRun && other.sharesObject(run));
    }
  }

  async #waitForRuns(before: readonly MessageRun[], run: MessageRun, slot: Slot): Promise<boolean> {
    const until = Promise.all(before.map(({ gone }) => gone)).then(() => true);
    const wait = { why: 'object', seconds: null, until, detail: 'its aborted run has not ended yet' } as const;
    return (await waitUnderLease(this.#options, run, slot, wait)) === 'ready';
  }

  async #waitForTurn(held: HeldMessage, slot: Slot): Promise<boolean> {
    const turn = held.place?.turn ?? null;
    if (turn === null) return true;
    const detail = 'an earlier message of its group is at work';
    const end = await waitUnderLease(this.#options, held, slot, { why: 'group', seconds: null, until: turn, detail });
    if (end !== 'in-vain') return end === 'ready';
    const why = 'an earlier message of its group was not settled';
    if (held.facts.isLastReceive) await handBack(this.#options.settle, held, new Failure('INTERRUPTED', why), 'group');
    else await giveBack(this.#options.settle, held, { afterSeconds: 0, why, burns: 'group' });
    return false;
  }

  async #waitForSlot(run: MessageRun, slot: Slot): Promise<boolean> {
    const wait = { why: 'slot', seconds: 0, detail: 'every slot is taken, or a dependency is away' } as const;
    return (await waitUnderLease(this.#options, run, slot, wait)) === 'ready';
  }

  async #settle(held: HeldMessage, disposition: Disposition, slot: Slot | null): Promise<void> {
    // A delete or a copy that is tried for long keeps nobody from being asked for.
    if (disposition.kind === 'ack' || disposition.kind === 'reject') slot?.deleting();
    await settleMessage(this.#options.settle, held, disposition);
  }
}
