import { Coverage } from './coverage.ts';
import { judge, type Fault } from './judge.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import type { Target } from './target.ts';

/** A look at the coverage costs as much as a hundred short inputs. */
const BATCH = 64;
/** Singly, a loop that ran more often than ever counts as new as well. */
const EVERY_SINGLE = 100;
const MINIMISE_TRIES = 3_000;
const MINIMISE_SLOW_TRIES = 60;
/** Inputs that are no longer than this may fill the whole batch. */
const BATCH_BYTES = 1 << 20;

/** Bytes of an input that others are made of, or twice as many as the longest seed has. */
const LONGEST_BASIS = 2_048;

export interface SearchOptions {
  readonly target: Target;
  readonly random: () => number;
  /** Told of each input before it is run: what follows may never end. */
  readonly onInput: (input: Buffer) => void;
  readonly onFind: (input: Buffer, fault: Fault) => void;
  /** Told of each input that reached more code than all before it. */
  readonly onNew: (input: Buffer) => void;
}

/** Looks for inputs that break a target: changes those that reached most code, and keeps what reaches more. */
export class Search implements Disposable {
  readonly #options: SearchOptions;
  readonly #coverage: Coverage;
  readonly #corpus: Buffer[] = [];
  readonly #known = new Set<string>();
  #rounds = 0;
  #longest = LONGEST_BASIS;
  runs = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#coverage = new Coverage(options.target.covers);
  }

  get blocks(): number {
    return this.#coverage.blocks;
  }

  get corpusSize(): number {
    return this.#corpus.length;
  }

  /** Runs an input that others shall be made of; it stays in the corpus where it reaches new code, or as a seed. */
  add(input: Buffer, isSeed: boolean): void {
    this.#coverage.skip();
    this.#run(input);
    const isNew = this.#coverage.isNewOfOne();
    if (isSeed) this.#longest = Math.max(this.#longest, 2 * input.length);
    if (isSeed || (isNew && input.length <= this.#longest)) this.#corpus.push(input);
  }

  /** Runs one batch of changed inputs. */
  round(): void {
    this.#rounds += 1;
    const inputs: Buffer[] = [];
    for (let bytes = 0; inputs.length < BATCH && bytes < BATCH_BYTES; bytes += inputs.at(-1)?.length ?? 0) {
      inputs.push(this.#next());
    }
    if (this.#rounds % EVERY_SINGLE === 0) {
      this.#singly(inputs);
      return;
    }
    this.#coverage.skip();
    for (const input of inputs) this.#run(input);
    if (this.#coverage.isNewOfMany()) this.#singly(inputs);
  }

  [Symbol.dispose](): void {
    this.#coverage[Symbol.dispose]();
  }

  #singly(inputs: readonly Buffer[]): void {
    this.#coverage.skip();
    for (const input of inputs) {
      this.#run(input);
      if (!this.#coverage.isNewOfOne()) continue;
      // What is made of a long one is long as well, and little can be tried in its time.
      if (input.length > this.#longest) continue;
      this.#corpus.push(input);
      this.#options.onNew(input);
    }
  }

  #next(): Buffer {
    const { random, target } = this.#options;
    return mutate(this.#chosen(), { random, target, other: () => this.#chosen() });
  }

  /** Half of the time one of the latest, of which least was made yet; the shorter of two, with which more can be tried. */
  #chosen(): Buffer {
    const { random } = this.#options;
    const all = this.#corpus.length;
    const latest = random() < 0.5 ? Math.ceil(all / 5) : all;
    const one = (): Buffer => this.#corpus[all - 1 - Math.floor(random() * latest)] ?? Buffer.alloc(0);
    const [a, b] = [one(), one()];
    return a.length <= b.length ? a : b;
  }

  #run(input: Buffer): void {
    const fault = this.#judge(input);
    if (fault === null || this.#known.has(fault.signature)) return;
    this.#known.add(fault.signature);
    const isSame = (smaller: Buffer): boolean => this.#judge(smaller)?.signature === fault.signature;
    const tries = fault.kind === 'slow' ? MINIMISE_SLOW_TRIES : MINIMISE_TRIES;
    const shortest = minimise(input, isSame, tries);
    this.#options.onFind(shortest, this.#judge(shortest) ?? fault);
  }

  #judge(input: Buffer): Fault | null {
    this.runs += 1;
    this.#options.onInput(input);
    return judge(this.#options.target, input);
  }
}
