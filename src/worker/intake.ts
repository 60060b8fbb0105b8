import { toFailure } from '../failure/classify.ts';
import type { Disposition } from '../failure/disposition.ts';
import { Failure, withStage } from '../failure/failure.ts';
import { rejectOrRetry } from '../failure/reject-or-retry.ts';
import type { Job } from '../queue/messages/job.ts';
import { parseMessage, type ParsedMessage } from '../queue/messages/parse-message.ts';
import { textAttributes, type ReceivedMessage } from '../queue/received-message.ts';
import { receiveFacts } from './delivery.ts';
import { FifoGroups, type GroupPlace } from './fifo-groups.ts';
import type { InFlight } from './in-flight.ts';
import { MessageRun, type MessageRunDeps } from './message-run.ts';
import type { Received } from './poller.ts';
import { giveBack, handBack, handBackAll, settleMessage, type HeldMessage } from './settle-message.ts';
import type { Slot, Slots } from './slots.ts';
import { WaitPlan } from './wait-plan.ts';
import { waitFacts, waitUnderLease, type WaitDeps } from './wait-under-lease.ts';

export interface IntakeOptions extends WaitDeps {
  readonly inFlight: InFlight;
  readonly slots: Slots;
  readonly run: MessageRunDeps;
  /** False once the worker ends: what still comes in goes back unstarted. */
  readonly isOpen: () => boolean;
  /** More messages are here than may run now. */
  readonly isOverbooked: () => boolean;
  /** Told how many went back so. */
  readonly onGivenBack: (count: number) => void;
  /** What a message that asks for work is handed on to; `decided` is told whether the next of its group may follow. */
  readonly handOn: (run: MessageRun, slot: Slot, decided: (mayFollow: boolean) => void) => Promise<void>;
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

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  async take({ queue, messages, requestedAt }: Received): Promise<void> {
    const { settle, slots, isOpen, onGivenBack } = this.#options;
    const { keeper } = settle;
    if (!isOpen()) {
      const all = messages
        .filter((message) => !this.#adopt(message, requestedAt))
        .map((message) => ({
          message,
          lease: keeper.register(queue.messages, message, requestedAt),
          facts: receiveFacts(queue.messages, message),
        }));
      onGivenBack(await handBackAll(settle, all));
      return;
    }
    for (const message of messages) {
      if (this.#adopt(message, requestedAt)) continue;
      const lease = keeper.register(queue.messages, message, requestedAt);
      const held = { message, lease, facts: receiveFacts(queue.messages, message) };
      slots.occupy((slot) => this.#recognise(held, slot));
    }
  }

  /** The same message while its run holds the lease: the run goes on under the newer receive. */
  #adopt(message: ReceivedMessage, requestedAt: number): boolean {
    const { inFlight, settle } = this.#options;
    const { messageId, receiptHandle } = message;
    const run = inFlight.ofMessage(messageId).find(({ lease }) => lease.state === 'held');
    if (run === undefined) return false;
    settle.keeper.adopt(run.lease, receiptHandle, requestedAt);
    run.redelivered(message);
    settle.events.emit('message:redelivered', { messageId });
    return true;
  }

  async #recognise(held: HeldMessage, slot: Slot): Promise<void> {
    const { inFlight } = this.#options;
    inFlight.hold(held);
    try {
      const run = await this.#toRun(held, slot);
      if (run === null) return;
      inFlight.drop(held);
      await this.#order(run, slot);
    } finally {
      inFlight.drop(held);
    }
  }

  /** Null: it asks for no work, and is settled. */
  async #toRun(held: HeldMessage, slot: Slot): Promise<MessageRun | null> {
    const { settler, events } = this.#options.settle;
    const { message, lease } = held;
    const { messageId } = message;
    if (settler.isDone(messageId)) {
      events.emit('message:done-before', { messageId });
      await this.#settle(held, { kind: 'ack', outcome: 'duplicate' });
      return null;
    }
    const parsed = this.#parse(message);
    if (parsed instanceof Error) {
      await this.#reject(held, parsed, slot);
      return null;
    }
    if (parsed.kind === 'ignored') {
      await this.#ignore(held, parsed.reason);
      return null;
    }
    const reasons = parsed.jobs.map((job) => this.#options.ignores?.(job) ?? null);
    const ours = parsed.jobs.filter((_, index) => reasons[index] === null);
    if (ours.length > 0) return new MessageRun(message, lease, ours, this.#options.run);
    await this.#ignore(held, reasons[0] ?? 'it asks for nothing');
    return null;
  }

  #parse(message: ReceivedMessage): ParsedMessage | Failure {
    try {
      return parseMessage(message.body, textAttributes(message));
    } catch (error) {
      return withStage(toFailure(error), 'message');
    }
  }

  async #ignore(held: HeldMessage, reason: string): Promise<void> {
    const { events, logger } = this.#options.settle;
    const { messageId } = held.message;
    logger.info({ messageId }, `ignored: ${reason}`);
    events.emit('message:ignored', { messageId, reason });
    await this.#settle(held, { kind: 'ack', outcome: 'ignored' });
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
      const next = plan.after(disposition, waitFacts({ ...held, facts }, this.#options));
      if ('kind' in next) {
        await this.#settle(held, next);
        return;
      }
      if ((await waitUnderLease(this.#options, held, slot, next)) !== 'ready') return;
    }
  }

  async #order(run: MessageRun, slot: Slot): Promise<void> {
    const { inFlight, waiting, handOn } = this.#options;
    const { message, lease } = run;
    // Its run was aborted with its lease and may not have returned.
    const before = inFlight.ofMessage(message.messageId);
    const place =
      message.groupId === null ? null : this.#groups.enter(JSON.stringify([lease.queue.id, message.groupId]));
    // Its message comes again while its job may still be on its way out: neither it nor its group must wait for that.
    if (place !== null) lease.signal.addEventListener('abort', () => place.leave(false), { once: true });
    inFlight.add(run);
    try {
      const mayRun =
        (before.length === 0 || (await this.#waitForRuns(before, run, slot))) &&
        (place === null || (await this.#waitForTurn(place, run, slot))) &&
        (!this.#options.isOverbooked() || (await this.#waitForSlot(run, slot)));
      if (mayRun) await handOn(run, slot, (mayFollow) => place?.leave(mayFollow));
    } finally {
      inFlight.remove(run);
      run.leave();
      place?.leave(false);
      waiting.wake((other, why) => why === 'object' && other instanceof MessageRun && other.sharesObject(run));
    }
  }

  async #waitForRuns(before: readonly MessageRun[], run: MessageRun, slot: Slot): Promise<boolean> {
    const until = Promise.all(before.map(({ gone }) => gone)).then(() => true);
    const wait = { why: 'object', seconds: null, until, detail: 'its aborted run has not ended yet' } as const;
    return (await waitUnderLease(this.#options, run, slot, wait)) === 'ready';
  }

  async #waitForTurn({ turn, leave }: GroupPlace, run: MessageRun, slot: Slot): Promise<boolean> {
    if (turn === null) return true;
    const detail = 'an earlier message of its group is at work';
    const end = await waitUnderLease(this.#options, run, slot, { why: 'group', seconds: null, until: turn, detail });
    if (end !== 'in-vain') return end === 'ready';
    // Before it can come again: it would find itself in front of it.
    leave(false);
    const why = 'an earlier message of its group was not settled';
    if (run.facts.isLastReceive) await handBack(this.#options.settle, run, new Failure('INTERRUPTED', why), 'group');
    else await giveBack(this.#options.settle, run.lease, { afterSeconds: 0, why, burns: 'group' });
    return false;
  }

  async #waitForSlot(run: MessageRun, slot: Slot): Promise<boolean> {
    const wait = { why: 'slot', seconds: 0, detail: 'every slot is taken, or a dependency is away' } as const;
    return (await waitUnderLease(this.#options, run, slot, wait)) === 'ready';
  }

  async #settle(held: HeldMessage, disposition: Disposition): Promise<void> {
    await settleMessage(this.#options.settle, held, disposition);
  }
}
