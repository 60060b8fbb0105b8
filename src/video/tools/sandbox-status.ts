import type { Readable } from 'node:stream';
import { settledWithin } from '../../time/settled-within.ts';
import { systemClock } from '../../time/clock.ts';

/** It holds a line for the start, with a handful of numbers, and one for the end. */
const MOST_CHARACTERS = 4_096;
/** The sandbox has ended, and its pipe with it: what it wrote is on its way. */
const LAST_WORD_MS = 1_000;

/** What bubblewrap tells of a sandbox on a descriptor that nothing inside has. */
export class SandboxStatus {
  #text = '';
  readonly #begun = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #pipe: Readable;

  constructor(pipe: Readable) {
    this.#pipe = pipe;
    pipe.setEncoding('utf8').on('data', (chunk: string) => {
      if (this.#text.length < MOST_CHARACTERS) this.#text += chunk;
      if (this.#initPid !== null) this.#begun.resolve();
    });
    pipe.on('error', () => {});
    pipe.once('close', () => {
      this.#begun.resolve();
      this.#closed.resolve();
    });
  }

  /** The first process of the sandbox, with which all others in it die; null where it does not come to be, or not so soon. */
  async initPid(withinMs: number): Promise<number | null> {
    await settledWithin(this.#begun.promise, withinMs, systemClock);
    return this.#initPid;
  }

  /** Once bubblewrap has ended: whether it had handed over to the program. What came after that is the program's own end. */
  async didStart(): Promise<boolean> {
    await settledWithin(this.#closed.promise, LAST_WORD_MS, systemClock);
    this.#pipe.destroy();
    return /"exit-code":/.test(this.#text);
  }

  get #initPid(): number | null {
    const pid = /"child-pid": (\d+)/.exec(this.#text)?.[1];
    return pid === undefined ? null : Number(pid);
  }
}
