import type {
  DeadLetterReason,
  EntryResult,
  MessageQueue,
  ReceiveRequest,
  VisibilityEntry,
} from '../../src/queue/message-queue.ts';
import type { MessageAttribute, ReceivedMessage } from '../../src/queue/received-message.ts';
import type { Clock } from '../../src/time/clock.ts';

export interface FakeQueueOptions {
  readonly clock: Clock;
  readonly id?: string;
  readonly isOrdered?: boolean;
  readonly hasDeadLetters?: boolean;
  /** After so many receives the queue moves a message away. */
  readonly maxReceives?: number;
}

export interface FakeCall {
  readonly name: 'receive' | 'extend' | 'acknowledge' | 'giveBack' | 'deadLetter';
  /** Of the entries; empty for a receive. */
  readonly handles: readonly string[];
  /** Of the entries of `extend` and `giveBack`. */
  readonly seconds: readonly number[];
  readonly at: number;
  readonly timeoutMs: number | null;
}

/**
 * What a call comes to instead of its usual answer: one result for every entry, one per entry, or an error that is thrown where the port
 * may reject. Null: the usual.
 */
export type Fault = (call: FakeCall) => EntryResult | readonly EntryResult[] | Error | null | Promise<null>;

export interface DeadLetter {
  readonly message: ReceivedMessage;
  readonly reason: DeadLetterReason;
}

interface Stored {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly groupId: string | null;
  visibleAt: number;
  receives: number;
  handle: string | null;
}

interface Poll {
  readonly request: ReceiveRequest;
  readonly resolve: (messages: readonly ReceivedMessage[]) => void;
  readonly cancel: () => void;
}

const GONE: EntryResult = { kind: 'gone', code: 'ReceiptHandleIsInvalid', message: 'the message is not in flight' };

/**
 * A queue in memory that does what SQS does, on a clock that a test moves: messages hide and come back with another handle, a long poll
 * is answered by the first message, a group of an ordered queue is handed out one after another.
 */
export class FakeQueue implements MessageQueue {
  readonly id: string;
  readonly isOrdered: boolean;
  readonly limits = { batch: 10, inFlightSeconds: 43_200 } as const;
  readonly maxReceives: number | null;
  readonly deadLetter: MessageQueue['deadLetter'];
  /** Ids of what was moved away after too many receives. */
  readonly moved: string[] = [];
  readonly calls: FakeCall[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** Asked before each call. */
  fault: Fault = () => null;
  readonly #clock: Clock;
  readonly #stored = new Map<string, Stored>();
  readonly #polls = new Set<Poll>();
  #cancelWake: (() => void) | null = null;
  #sent = 0;
  #handles = 0;
  #mostReceives = 0;

  constructor({ clock, id = 'fake', isOrdered = false, hasDeadLetters = true, maxReceives }: FakeQueueOptions) {
    this.maxReceives = maxReceives ?? null;
    this.#clock = clock;
    this.id = id;
    this.isOrdered = isOrdered;
    this.deadLetter = hasDeadLetters ? (message, reason) => this.#deadLetter(message, reason) : null;
  }

  /** Handles of what somebody holds now, in the order of sending. */
  get inFlight(): readonly string[] {
    const now = this.#clock.now();
    return [...this.#stored.values()].flatMap(({ handle, visibleAt }) =>
      handle !== null && visibleAt > now ? [handle] : [],
    );
  }

  /** Ids of what the next poll may be given. */
  get visible(): readonly string[] {
    return this.#ready().map(({ messageId }) => messageId);
  }

  get size(): number {
    return this.#stored.size;
  }

  /** Of any message that was ever handed out. */
  get mostReceives(): number {
    return this.#mostReceives;
  }

  get openPolls(): number {
    return this.#polls.size;
  }

  send(
    body: string,
    { groupId = null, attributes = {} }: { groupId?: string | null; attributes?: Stored['attributes'] } = {},
  ): string {
    this.#sent += 1;
    const messageId = `${this.id}-${this.#sent}`;
    this.#stored.set(messageId, {
      messageId,
      body,
      attributes,
      groupId: groupId ?? (this.isOrdered ? 'group' : null),
      visibleAt: this.#clock.now(),
      receives: 0,
      handle: null,
    });
    this.#serve();
    return messageId;
  }

  /** As a competitor or an operator would: whatever handle holds it. */
  remove(messageId: string): void {
    this.#stored.delete(messageId);
  }

  /** The queue is not there any more. */
  destroy(): void {
    this.#stored.clear();
    this.fault = ({ name }) => (name === 'receive' ? new Error('the queue does not exist') : GONE);
  }

  async receive(request: ReceiveRequest): Promise<readonly ReceivedMessage[]> {
    const fault = await this.#call({ name: 'receive', handles: [], seconds: [], timeoutMs: null });
    if (fault instanceof Error) throw fault;
    return await new Promise((resolve) => {
      const end = (): void => {
        this.#polls.delete(poll);
        resolve([]);
      };
      const poll: Poll = { request, resolve, cancel: this.#clock.after(request.waitSeconds * 1_000, end) };
      this.#polls.add(poll);
      this.#serve();
    });
  }

  async extend(entries: readonly VisibilityEntry[], timeoutMs: number): Promise<readonly EntryResult[]> {
    return await this.#setVisibility('extend', entries, timeoutMs);
  }

  async giveBack(entries: readonly VisibilityEntry[], timeoutMs: number): Promise<readonly EntryResult[]> {
    return await this.#setVisibility('giveBack', entries, timeoutMs);
  }

  async acknowledge(handles: readonly string[], timeoutMs: number): Promise<readonly EntryResult[]> {
    const fault = await this.#call({ name: 'acknowledge', handles, seconds: [], timeoutMs });
    return this.#results(handles, fault, (handle) => {
      const stored = this.#holderOf(handle);
      if (stored !== null) this.#stored.delete(stored.messageId);
      else if (this.isOrdered) return GONE;
      // A standard queue answers so for an old handle too, and deletes nothing.
      return { kind: 'ok' };
    });
  }

  async #deadLetter(message: ReceivedMessage, reason: DeadLetterReason): Promise<void> {
    const handles = [message.receiptHandle];
    const fault = await this.#call({ name: 'deadLetter', handles, seconds: [], timeoutMs: null });
    if (fault instanceof Error) throw fault;
    this.deadLetters.push({ message, reason });
  }

  async #setVisibility(
    name: 'extend' | 'giveBack',
    entries: readonly VisibilityEntry[],
    timeoutMs: number,
  ): Promise<readonly EntryResult[]> {
    const handles = entries.map(({ receiptHandle }) => receiptHandle);
    const seconds = entries.map((entry) => entry.seconds);
    const fault = await this.#call({ name, handles, seconds, timeoutMs });
    const results = this.#results(handles, fault, (handle, index) => {
      const stored = this.#holderOf(handle);
      if (stored === null) return GONE;
      stored.visibleAt = this.#clock.now() + (seconds[index] ?? 0) * 1_000;
      return { kind: 'ok' };
    });
    this.#serve();
    return results;
  }

  async #call(call: Omit<FakeCall, 'at'>): Promise<Awaited<ReturnType<Fault>>> {
    const made: FakeCall = { ...call, at: this.#clock.now() };
    this.calls.push(made);
    const fault = Promise.resolve(this.fault(made));
    if (made.timeoutMs === null) return await fault;
    // As the port has it: what takes longer than its limit has failed.
    const { promise: late, resolve } = Promise.withResolvers<EntryResult>();
    const cancel = this.#clock.after(made.timeoutMs, () => {
      resolve({ kind: 'failed', code: 'TIMEOUT', message: 'no answer' });
    });
    try {
      return await Promise.race([fault, late]);
    } finally {
      cancel();
    }
  }

  #results(
    handles: readonly string[],
    fault: Awaited<ReturnType<Fault>>,
    usual: (handle: string, index: number) => EntryResult,
  ): readonly EntryResult[] {
    if (fault === null) return handles.map(usual);
    if (Array.isArray(fault)) return fault as readonly EntryResult[];
    const result: EntryResult =
      fault instanceof Error ? { kind: 'failed', code: fault.name, message: fault.message } : (fault as EntryResult);
    return handles.map(() => result);
  }

  /** The message that this handle holds now; null when it was received again, deleted, or is visible. */
  #holderOf(handle: string): Stored | null {
    const now = this.#clock.now();
    for (const stored of this.#stored.values()) if (stored.handle === handle && stored.visibleAt > now) return stored;
    return null;
  }

  /** While a message of a group is hidden, all of the group wait. */
  #ready(): Stored[] {
    const now = this.#clock.now();
    const all = [...this.#stored.values()];
    const hidden = all.filter(({ visibleAt }) => visibleAt > now);
    const blocked = new Set(hidden.map(({ groupId }) => groupId));
    return all.filter(
      ({ visibleAt, groupId }) => visibleAt <= now && (groupId === null || !this.isOrdered || !blocked.has(groupId)),
    );
  }

  #serve(): void {
    for (const poll of this.#polls) {
      for (const stored of this.#ready()) {
        if (this.maxReceives === null || stored.receives < this.maxReceives) continue;
        this.#stored.delete(stored.messageId);
        this.moved.push(stored.messageId);
      }
      const ready = this.#ready().slice(0, poll.request.maxMessages);
      if (ready.length === 0) break;
      this.#polls.delete(poll);
      poll.cancel();
      poll.resolve(ready.map((stored) => this.#hand(stored, poll.request.visibilitySeconds)));
    }
    this.#wakeLater();
  }

  #hand(stored: Stored, visibilitySeconds: number): ReceivedMessage {
    this.#handles += 1;
    stored.handle = `handle-${this.#handles}`;
    stored.receives += 1;
    this.#mostReceives = Math.max(this.#mostReceives, stored.receives);
    stored.visibleAt = this.#clock.now() + visibilitySeconds * 1_000;
    const { messageId, body, attributes, groupId, receives } = stored;
    return {
      messageId,
      receiptHandle: stored.handle,
      body,
      attributes,
      receiveCount: receives,
      firstReceivedAt: 0,
      groupId,
    };
  }

  #wakeLater(): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
    if (this.#polls.size === 0) return;
    const now = this.#clock.now();
    const times = [...this.#stored.values()].map(({ visibleAt }) => visibleAt - now).filter((ms) => ms > 0);
    if (times.length === 0) return;
    this.#cancelWake = this.#clock.after(Math.min(...times), () => {
      this.#serve();
    });
  }
}
