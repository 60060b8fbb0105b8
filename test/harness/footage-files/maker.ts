import { makeMediaTogether, type MediaOrder } from '../media-together.ts';

interface Waiting {
  readonly order: MediaOrder;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** How long after the first order others may come to be made with it. */
const GATHER_MS = 30;

/** Has ffmpeg make files: those that are asked for at once in one run. */
export class Maker {
  #waiting: Waiting[] = [];
  #isBusy = false;

  async make(order: MediaOrder): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ order, resolve, reject });
      if (!this.#isBusy) void this.#makeWaiting();
    });
  }

  async #makeWaiting(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      const orders = this.#waiting;
      this.#waiting = [];
      await makeEach(orders);
      // Those that were made may be what others wait for.
      await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }
    this.#isBusy = false;
  }
}

async function makeEach(orders: readonly Waiting[]): Promise<void> {
  try {
    await makeMediaTogether(orders.map(({ order }) => order));
    for (const { resolve } of orders) resolve();
  } catch (error) {
    const [only, ...others] = orders;
    if (only !== undefined && others.length === 0) only.reject(error);
    // Which of them it is that cannot be made shows when each is made alone.
    else for (const one of orders) await makeEach([one]);
  }
}
