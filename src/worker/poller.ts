import { toFailure } from '../failure/classify.ts';
import type { Clock } from '../time/clock.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerEventBus } from './events.ts';
import { QueuePicker } from './queue-picker.ts';
import { settledWithin } from '../time/settled-within.ts';
import type { WorkerQueue } from './worker-options.ts';

/** What one poll brought. */
export interface Received {
  readonly queue: WorkerQueue;
  readonly messages: readonly ReceivedMessage[];
  /** Monotonic milliseconds before the request left: the leases began no earlier. */
  readonly requestedAt: number;
}

export interface PollerOptions {
  readonly queues: readonly WorkerQueue[];
  readonly settings: { readonly visibilitySeconds: number; readonly waitSeconds: number };
  readonly logger: Logger;
  readonly events: WorkerEventBus;
  readonly clock: Clock;
  readonly mayTake: () => boolean;
  readonly isHealthy: () => boolean;
  /** Slots that no message occupies; those that open polls have reserved are counted here. */
  readonly freeSlots: () => number;
  /** Gives free slots to messages that have waited for one, before new ones are asked for; answers with how many it gave. */
  readonly admit: (free: () => number, unoccupied: () => number) => number;
  /** A circuit is open: few slots are free, for who tries. */
  readonly isTrying: () => boolean;
  /** How many more messages may wait. */
  readonly roomLeft: () => number;
  /** How long until more slots are free by themselves; zero when no circuit is open. */
  readonly pausedMs: () => number;
  readonly take: (received: Received) => Promise<void>;
}

const MAX_POLLS = 4;
const MAX_POLL_BACKOFF_MS = 30_000;

/** Keeps long polls open for exactly the slots that are free, shared among the queues by weight. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #picker: QueuePicker<WorkerQueue>;
  readonly #polls = new Map<WorkerQueue, number>();
  readonly #openPolls = new Set<Promise<void>>();
  readonly #blockedUntil = new Map<WorkerQueue, { until: number; failures: number }>();
  #reserved = 0;
  #waitingTried = false;
  #cancelWake: (() => void) | null = null;
  /** Monotonic milliseconds. */
  lastAnswerAt: number | null = null;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#picker = new QueuePicker(options.queues);
  }

  /** The polls that are open now have ended and what they brought was handed over. */
  async allAnswered(): Promise<void> {
    await Promise.all(this.#openPolls);
  }

  /**
   * Resolves when no poll is open, or when none has been answered for so long. A message that is given back while a poll of
   * ours is open comes in again by that poll, at once: whoever ends must hand over that one too.
   */
  async quiet(ms: number): Promise<void> {
    while (this.#openPolls.size > 0) {
      if (!(await settledWithin(Promise.race(this.#openPolls), ms, this.#options.clock))) return;
    }
  }

  stopWaking(): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
  }

  #free(): number {
    return this.#options.freeSlots() - this.#reserved;
  }

  /** While a dependency is away, what is taken may have to wait as well: what there is no room for stays in the queue. */
  #takeable(): number {
    const { isTrying, roomLeft } = this.#options;
    return isTrying() ? Math.min(this.#free(), roomLeft() - this.#reserved) : this.#free();
  }

  /** Opens polls for the free slots. Called whenever a slot, a poll or the circuit changes. */
  fill(): void {
    if (!this.#options.mayTake()) return;
    this.#wakeLater();
    if (!this.#options.isHealthy()) return;
    this.#admitWaiting();
    while (this.#takeable() > 0) {
      const queue = this.#picker.next((candidate) => this.#mayPoll(candidate));
      if (queue === null) return;
      this.#openPoll(queue);
    }
  }

  /**
   * While a circuit lets one job at a time try, the waiting and the new take turns: a message that waits for a trouble of its own would
   * be every try, and nobody else would ever find out that the dependency answers.
   */
  #admitWaiting(): void {
    const { admit, isTrying, freeSlots } = this.#options;
    if (!isTrying()) {
      admit(() => this.#free(), freeSlots);
      return;
    }
    if (this.#free() <= 0) return;
    const isTheirTurn = !this.#waitingTried || this.#takeable() <= 0;
    this.#waitingTried = isTheirTurn && admit(() => this.#free(), freeSlots) > 0;
  }

  #mayPoll(queue: WorkerQueue): boolean {
    if ((this.#blockedUntil.get(queue)?.until ?? 0) > this.#options.clock.now()) return false;
    const open = this.#polls.get(queue) ?? 0;
    return (
      open === 0 ||
      (this.#options.queues.length === 1 && open < MAX_POLLS && this.#free() >= queue.messages.limits.batch)
    );
  }

  #wakeLater(): void {
    this.#cancelWake?.();
    const now = this.#options.clock.now();
    const times = [...this.#blockedUntil.values()].map((blocked) => blocked.until - now);
    if (!this.#options.isHealthy()) times.push(1_000);
    const waitMs = Math.min(...[...times, this.#options.pausedMs()].filter((ms) => ms > 0));
    if (waitMs === Infinity) return;
    this.#cancelWake = this.#options.clock.after(waitMs, () => {
      this.fill();
    });
  }

  #openPoll(queue: WorkerQueue): void {
    const others = this.#options.queues.filter((other) => other !== queue && (this.#polls.get(other) ?? 0) === 0);
    const weights = others.reduce((sum, other) => sum + other.weight, queue.weight);
    const free = this.#takeable();
    const count = Math.min(queue.messages.limits.batch, Math.max(1, Math.round((free * queue.weight) / weights)));
    // Where a queue is left without a slot, the slot must come back soon enough to ask that queue too. One that has failed is asked whether
    // it is back: were it empty, a long poll would tell only at its end.
    const isShort = free - count < others.length || this.#blockedUntil.has(queue);
    const waitSeconds = isShort ? 1 : this.#options.settings.waitSeconds;
    this.#reserved += count;
    this.#polls.set(queue, (this.#polls.get(queue) ?? 0) + 1);
    const poll = this.#poll(queue, count, Math.min(waitSeconds, this.#options.settings.waitSeconds)).finally(() => {
      this.#openPolls.delete(poll);
      this.#polls.set(queue, (this.#polls.get(queue) ?? 1) - 1);
      this.fill();
    });
    this.#openPolls.add(poll);
  }

  async #poll(queue: WorkerQueue, count: number, waitSeconds: number): Promise<void> {
    const { settings, events, logger, clock } = this.#options;
    const requestedAt = clock.now();
    let messages: readonly ReceivedMessage[] = [];
    try {
      const { visibilitySeconds } = settings;
      messages = await queue.messages.receive({ maxMessages: count, waitSeconds, visibilitySeconds });
      this.lastAnswerAt = clock.now();
      this.#blockedUntil.delete(queue);
      events.emit('poll:answered', { queue: queue.name, messages: messages.length });
    } catch (error) {
      const failures = (this.#blockedUntil.get(queue)?.failures ?? 0) + 1;
      const waitMs = Math.min(500 * 2 ** failures, MAX_POLL_BACKOFF_MS) * (0.5 + Math.random() / 2);
      this.#blockedUntil.set(queue, { until: clock.now() + waitMs, failures });
      logger.warn({ err: toFailure(error), queue: queue.name, waitMs: Math.round(waitMs) }, 'a poll failed');
      events.emit('poll:failed', { queue: queue.name, error });
    } finally {
      this.#reserved -= count;
    }
    await this.#options.take({ queue, messages, requestedAt });
  }
}
