import type { EntryResult, MessageQueue } from '../queue/message-queue.ts';
import type { WorkerQueue } from './worker-options.ts';

interface Signs {
  /** The last call about a message that is held failed, and no poll has been answered since. */
  hasFailed: boolean;
  /** The last poll failed. */
  hasPollFailed: boolean;
}

/**
 * What each queue told last: every call is a sign of it, be it a poll, a renewal, a delete or a return. A worker without a free slot has
 * no poll open, and one whose polls are refused may be renewing its leases all the while.
 */
export class QueueSigns {
  readonly #signs = new Map<string, Signs>();

  /** The same queue, whose answers are noted. */
  watch(queue: WorkerQueue): WorkerQueue {
    const signs: Signs = { hasFailed: false, hasPollFailed: false };
    this.#signs.set(queue.name, signs);
    return { ...queue, messages: watched(queue.messages, signs) };
  }

  /** Names of the queues that are away now, as far as one can know. `isAsking`: slots are free, so that polls say more than the rest. */
  away(isAsking: boolean): readonly string[] {
    return [...this.#signs].flatMap(([name, { hasFailed, hasPollFailed }]) =>
      hasFailed || (isAsking && hasPollFailed) ? [name] : [],
    );
  }
}

function watched(queue: MessageQueue, signs: Signs): MessageQueue {
  const noted = async (call: Promise<readonly EntryResult[]>): Promise<readonly EntryResult[]> => {
    const results = await call;
    // A queue that refuses one entry has answered.
    signs.hasFailed = results.length > 0 && results.every(({ kind }) => kind === 'failed');
    return results;
  };
  return {
    id: queue.id,
    isOrdered: queue.isOrdered,
    limits: queue.limits,
    get maxReceives() {
      return queue.maxReceives;
    },
    receive: async (request) => {
      let hasAnswered = false;
      try {
        const messages = await queue.receive(request);
        hasAnswered = true;
        return messages;
      } finally {
        // A full worker asks nothing more: a poll that failed before would tell of its queue for as long as its jobs run.
        if (hasAnswered) signs.hasFailed = false;
        signs.hasPollFailed = !hasAnswered;
      }
    },
    extend: (entries, timeoutMs) => noted(queue.extend(entries, timeoutMs)),
    acknowledge: (handles, timeoutMs) => noted(queue.acknowledge(handles, timeoutMs)),
    giveBack: (entries, timeoutMs) => noted(queue.giveBack(entries, timeoutMs)),
    // Goes to another queue.
    deadLetter: queue.deadLetter,
  };
}
