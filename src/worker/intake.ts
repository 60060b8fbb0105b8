import { toFailure } from '../failure/classify.ts';
import type { Disposition } from '../failure/disposition.ts';
import { withStage, type Failure } from '../failure/failure.ts';
import type { Lease } from '../queue/lease.ts';
import { parseMessage, type ParsedMessage } from '../queue/messages/parse-message.ts';
import { textAttributes, type ReceivedMessage } from '../queue/received-message.ts';
import { FifoGroups } from './fifo-groups.ts';
import type { InFlight } from './in-flight.ts';
import { MessageRun, type MessageRunDeps } from './message-run.ts';
import type { Received } from './poller.ts';
import { receiveFacts } from './delivery.ts';
import { rejectOrRetry } from '../failure/reject-or-retry.ts';
import { giveBack, settleMessage, type SettleDeps } from './settle-message.ts';

export interface IntakeOptions {
  readonly settle: SettleDeps;
  readonly inFlight: InFlight;
  readonly run: MessageRunDeps;
  /** False once the worker ends: what still comes in goes back unstarted. */
  readonly isOpen: () => boolean;
  /** Told how many went back so. */
  readonly onGivenBack: (count: number) => void;
  /** Keeps a slot for the work, which never rejects. */
  readonly occupy: (work: Promise<unknown>) => void;
  /** What a message that asks for work is handed on to; tells whether the next of its group may follow. */
  readonly handOn: (run: MessageRun) => Promise<boolean>;
  /** Told of a message that never became a job, before it is dead-lettered. */
  readonly onRejectedMessage?: (messageId: string, failure: Failure) => Promise<void>;
}

const DUPLICATE_DELAY_SECONDS = 30;

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
    const { settle, isOpen, onGivenBack } = this.#options;
    const { keeper, settler } = settle;
    if (!isOpen()) {
      const leases = messages.map((message) => keeper.register(queue.messages, message, requestedAt));
      onGivenBack(await settler.giveBackAll(leases));
      return;
    }
    for (const message of messages) {
      if (this.#adopt(message, requestedAt)) continue;
      this.#begin(message, keeper.register(queue.messages, message, requestedAt));
    }
  }

  /** The same message while its run holds the lease: the run goes on under the newer receive. */
  #adopt({ messageId, receiptHandle }: ReceivedMessage, requestedAt: number): boolean {
    const { inFlight, settle } = this.#options;
    const run = inFlight.ofMessage(messageId);
    if (run?.lease.state !== 'held') return false;
    settle.keeper.adopt(run.lease, receiptHandle, requestedAt);
    settle.events.emit('message:redelivered', { messageId });
    return true;
  }

  #begin(message: ReceivedMessage, lease: Lease): void {
    const { inFlight, settle, occupy } = this.#options;
    // Its run was aborted with its lease and has not returned: by the time the message is visible again it has.
    const isEnding = inFlight.ofMessage(message.messageId) !== null;
    occupy(
      isEnding
        ? giveBack(settle, lease, DUPLICATE_DELAY_SECONDS, 'its aborted run has not ended yet')
        : this.#recognise(message, lease),
    );
  }

  async #recognise(message: ReceivedMessage, lease: Lease): Promise<void> {
    const { settler, events, logger } = this.#options.settle;
    const { messageId } = message;
    if (settler.isDone(messageId)) {
      events.emit('message:done-before', { messageId });
      await this.#settle(message, lease, { kind: 'ack', outcome: 'duplicate' });
      return;
    }
    const parsed = this.#parse(message);
    if (parsed instanceof Error) {
      await this.#reject(message, lease, parsed);
      return;
    }
    if (parsed.kind === 'ignored') {
      logger.info({ messageId }, `ignored: ${parsed.reason}`);
      events.emit('message:ignored', { messageId, reason: parsed.reason });
      await this.#settle(message, lease, { kind: 'ack', outcome: 'ignored' });
      return;
    }
    await this.#order(new MessageRun(message, lease, parsed.jobs, this.#options.run));
  }

  #parse(message: ReceivedMessage): ParsedMessage | Failure {
    try {
      return parseMessage(message.body, textAttributes(message));
    } catch (error) {
      return withStage(toFailure(error), 'message');
    }
  }

  async #reject(message: ReceivedMessage, lease: Lease, failure: Failure): Promise<void> {
    const { settle, onRejectedMessage } = this.#options;
    const { events, logger } = settle;
    const { messageId } = message;
    logger.warn({ messageId, code: failure.code }, failure.message);
    events.emit('message:rejected', { messageId, failure });
    const record = async (): Promise<void> => await onRejectedMessage?.(messageId, failure);
    await this.#settle(message, lease, await rejectOrRetry(failure, receiveFacts(lease.queue, message), record));
  }

  async #order(run: MessageRun): Promise<void> {
    const { inFlight, settle, handOn } = this.#options;
    const { message, lease } = run;
    if (inFlight.hasObjectOf(run)) {
      await giveBack(settle, lease, DUPLICATE_DELAY_SECONDS, 'another message about the same object runs here');
      return;
    }
    inFlight.add(run);
    try {
      if (message.groupId === null) {
        await handOn(run);
        return;
      }
      await this.#groups.inOrder(
        JSON.stringify([lease.queue.id, message.groupId]),
        () => handOn(run),
        () => giveBack(settle, lease, 0, 'an earlier message of its group was not settled'),
      );
    } finally {
      inFlight.remove(run);
    }
  }

  async #settle(message: ReceivedMessage, lease: Lease, disposition: Disposition): Promise<void> {
    await settleMessage(this.#options.settle, message, lease, disposition);
  }
}
