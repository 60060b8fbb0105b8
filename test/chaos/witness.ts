/** What a worker's log says of a message. */
export interface Sighting {
  readonly messageId: string;
  readonly workerId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly text: string;
  /** The receive that a job began with; null in every other line. */
  readonly receive: number | null;
}

interface LogRecord {
  readonly time?: string;
  readonly msg?: string;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly receiveCount?: number;
  readonly key?: string;
}

const BEGINS = 'a job begins';
/** The last line of a job, whatever it came to; a wait under the lease counts as one, since another run of the job follows it. */
const ENDS =
  /^(analysis stored|already analysed|job failed|another worker is on it|ignored|a message waits|the lease is lost)/;

/** Reads along what the workers log. */
export class Witness {
  readonly #sightings = new Map<string, Sighting[]>();
  /** Keys that are at work, by worker. */
  readonly #busy = new Map<string, Set<string>>();
  readonly #listeners = new Set<(workerId: string) => void>();

  hear(workerId: string, line: string): void {
    if (!line.startsWith('{')) return;
    const { time, msg = '', messageId, correlationId, receiveCount, key } = JSON.parse(line) as LogRecord;
    const id = messageId ?? correlationId;
    if (id === undefined) return;
    const receive = msg === BEGINS ? (receiveCount ?? null) : null;
    const sighting = { messageId: id, workerId, at: Date.parse(time ?? ''), text: msg, receive };
    this.#sightings.set(id, [...(this.#sightings.get(id) ?? []), sighting]);
    if (key === undefined) return;
    const busy = this.#busy.get(workerId) ?? new Set();
    this.#busy.set(workerId, busy);
    if (msg === BEGINS) busy.add(key);
    if (ENDS.test(msg)) busy.delete(key);
    if (msg === BEGINS) for (const listener of this.#listeners) listener(workerId);
  }

  gone(workerId: string): void {
    this.#busy.delete(workerId);
  }

  /** What the logs say of a message, the oldest first. */
  of(messageId: string): readonly Sighting[] {
    return this.#sightings.get(messageId) ?? [];
  }

  /** Keys whose videos are at work now. */
  get busyKeys(): string[] {
    return [...this.#busy.values()].flatMap((keys) => [...keys]).sort();
  }

  /** Resolves when a job of this worker has begun, or is at work already; false when none is in time. */
  async untilBusy(workerId: string, limitMs: number): Promise<boolean> {
    if ((this.#busy.get(workerId)?.size ?? 0) > 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const listener = (who: string): void => {
      if (who === workerId) resolve(true);
    };
    this.#listeners.add(listener);
    const timer = setTimeout(() => resolve(false), limitMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(listener);
    }
  }
}
