/** When a message was seen to have been handed out for the how-manieth time. */
export interface SeenReceive {
  readonly receive: number;
  /** Milliseconds since the epoch; the receive was not before `from`. */
  readonly at: number;
  readonly from: number;
}

interface InspectedMessage {
  readonly messageId: string;
  readonly approximateReceiveCount: number;
}

interface Inspection {
  readonly messages: {
    readonly ready: readonly InspectedMessage[];
    readonly delayed: readonly InspectedMessage[];
    readonly inflight: readonly { readonly message: InspectedMessage }[];
  };
}

const EVERY_MS = 250;

/** Asks the queue's server again and again how often each message was handed out, past every fault and without taking a message. */
export class ReceiveLog {
  readonly #seen = new Map<string, SeenReceive[]>();
  readonly #url: string;
  readonly #ended: Promise<void>;
  #isOver = false;

  constructor(endpoint: string, queue: string) {
    this.#url = `${endpoint}/_fauxqs/queues/${queue}`;
    this.#ended = this.#watch();
  }

  of(messageId: string): readonly SeenReceive[] {
    return this.#seen.get(messageId) ?? [];
  }

  get messageIds(): string[] {
    return [...this.#seen.keys()];
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #watch(): Promise<void> {
    let before = Date.now();
    while (!this.#isOver) {
      const at = Date.now();
      const inspection = await fetch(this.#url).then((answer) => answer.json() as Promise<Inspection>);
      const { ready, delayed, inflight } = inspection.messages;
      for (const message of [...ready, ...delayed, ...inflight.map((entry) => entry.message)]) {
        this.#see(message, before);
      }
      before = at;
      await new Promise((wake) => setTimeout(wake, EVERY_MS));
    }
  }

  #see({ messageId, approximateReceiveCount: receive }: InspectedMessage, from: number): void {
    const seen = this.#seen.get(messageId) ?? [];
    this.#seen.set(messageId, seen);
    if (receive > (seen.at(-1)?.receive ?? 0)) seen.push({ receive, from, at: Date.now() });
  }
}
