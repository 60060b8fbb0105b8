import type { WaitReason } from '../failure/disposition.ts';
import type { Clock } from '../time/clock.ts';
import type { HeldMessage } from './settle-message.ts';
import type { Slot } from './slots.ts';

export interface WaitingRoomOptions {
  readonly clock: Clock;
  /** Messages that may wait at once. */
  readonly limit: number;
  /** Somebody's time has come: places are to be given out. */
  readonly onDue: () => void;
}

export interface Wait {
  readonly why: WaitReason;
  /** When its time comes at the latest; null: when it is woken. */
  readonly seconds: number | null;
  /** How long it may wait from now on, in seconds; a redelivery makes it longer. */
  readonly leftSeconds: () => number;
  /** Its time comes with the end of this; false: what it waited for does not come any more. */
  readonly until?: Promise<boolean>;
}

/**
 * `ready`: it has a place again. `in-vain`: what it waited for does not come. `too-long`: it has waited as long as it may. `lost`: its lease is gone. `full`: too many wait already.
 * `closed`: the worker ends, it has to be given back. `given-back`: that was done for it.
 */
export type WaitEnd = 'ready' | 'in-vain' | 'too-long' | 'lost' | 'full' | 'closed' | 'given-back';

interface Stay {
  readonly held: HeldMessage;
  readonly slot: Slot;
  readonly why: WaitReason;
  isDue: boolean;
  end(how: WaitEnd): void;
}

/**
 * Messages that must wait: each keeps its lease and gives up its slot, so that waiting costs neither a receive nor a place. Whose time
 * has come gets a free place before a new message is asked for, the one that has waited longest first.
 */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  readonly #stays = new Set<Stay>();
  #closing: Promise<void> | null = null;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#stays.size;
  }

  get roomLeft(): number {
    return this.#options.limit - this.#stays.size;
  }

  /** Gives the slot up, waits, and has a slot again when it ends as `ready`. */
  async wait(held: HeldMessage, slot: Slot, { why, seconds, leftSeconds, until }: Wait): Promise<WaitEnd> {
    if (this.#closing !== null) return 'closed';
    if (held.lease.state !== 'held') return 'lost';
    if (this.roomLeft <= 0 && !mayExceed(held, why)) return 'full';
    const { promise, resolve } = Promise.withResolvers<WaitEnd>();
    const cancels: (() => void)[] = [];
    const stay: Stay = {
      held,
      slot,
      why,
      isDue: false,
      end: (how) => {
        this.#stays.delete(stay);
        for (const cancel of cancels) cancel();
        resolve(how);
      },
    };
    const lost = (): void => stay.end('lost');
    held.lease.signal.addEventListener('abort', lost, { once: true });
    cancels.push(() => held.lease.signal.removeEventListener('abort', lost));
    let cancelLimit = (): void => {};
    const limit = (): void => {
      const left = leftSeconds();
      if (left > 0) cancelLimit = this.#options.clock.after(left * 1_000, limit);
      else stay.end('too-long');
    };
    cancelLimit = this.#options.clock.after(Math.max(0, leftSeconds()) * 1_000, limit);
    cancels.push(() => cancelLimit());
    if (seconds !== null) cancels.push(this.#options.clock.after(seconds * 1_000, () => this.#due([stay])));
    void until?.then((hasCome) => {
      if (hasCome) this.#due([stay]);
      else stay.end('in-vain');
    });
    this.#stays.add(stay);
    slot.release();
    return await promise;
  }

  /** What some wait for has come, so that they need not wait out their time. */
  wake(fits: (held: HeldMessage, why: WaitReason) => boolean): void {
    if (this.#stays.size > 0) this.#due([...this.#stays].filter(({ held, why }) => fits(held, why)));
  }

  /**
   * Gives out places to those whose time has come: `free` says how many are left each time, `unoccupied` those too that open polls have
   * reserved. A look at who else works on an object is short, and does not wait for a poll to end. Answers with how many went on.
   */
  admit(free: () => number, unoccupied: () => number): number {
    let count = 0;
    for (const stay of [...this.#stays].filter(({ isDue }) => isDue)) {
      if ((stay.why === 'object' ? unoccupied() : free()) <= 0) continue;
      stay.slot.retake();
      stay.end('ready');
      count += 1;
    }
    return count;
  }

  /**
   * Nobody waits any more: what waits is handed to `giveBack` in the order in which it came, what wants to wait later is refused. A
   * second call joins the first.
   */
  async close(giveBack: (all: readonly HeldMessage[]) => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(giveBack);
    await this.#closing;
  }

  async #close(giveBack: (all: readonly HeldMessage[]) => Promise<void>): Promise<void> {
    const stays = [...this.#stays];
    if (stays.length === 0) return;
    await giveBack(stays.map(({ held }) => held));
    for (const stay of stays) stay.end('given-back');
  }

  #due(stays: readonly Stay[]): void {
    const waiting = stays.filter((stay) => this.#stays.has(stay) && !stay.isDue);
    if (waiting.length === 0) return;
    for (const stay of waiting) stay.isDue = true;
    this.#options.onDue();
  }
}

/**
 * The messages of a group come together, and what has no slot was asked for: neither grows without end. At its last receive a message
 * that went back would be lost.
 */
function mayExceed({ facts }: HeldMessage, why: WaitReason): boolean {
  return why === 'group' || why === 'slot' || facts.isLastReceive;
}
