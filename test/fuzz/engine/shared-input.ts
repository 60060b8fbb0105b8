const STOP = 0;
const STEPS = 1;
const LENGTH = 2;
const HEADER_BYTES = 16;

/** The input that a thread is at, as another thread sees it while the first is lost in it. */
export class SharedInput {
  readonly buffer: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(from: SharedArrayBuffer | number) {
    this.buffer = typeof from === 'number' ? new SharedArrayBuffer(HEADER_BYTES + from) : from;
    this.#header = new Int32Array(this.buffer, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(this.buffer, HEADER_BYTES);
  }

  /** Changes with each input. */
  get steps(): number {
    return Atomics.load(this.#header, STEPS);
  }

  get input(): Buffer {
    return Buffer.from(this.#bytes.slice(0, Atomics.load(this.#header, LENGTH)));
  }

  set input(input: Buffer) {
    this.#bytes.set(input);
    Atomics.store(this.#header, LENGTH, input.length);
    Atomics.add(this.#header, STEPS, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#header, STOP) === 1;
  }

  stop(): void {
    Atomics.store(this.#header, STOP ?? 0, 1);
  }
}
