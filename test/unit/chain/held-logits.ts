import { labelTrie } from '../../../src/chain/action/label-trie.ts';
import { labelScorer } from '../../../src/chain/action/score-labels.ts';
import { fakeModel, meter, prefilled } from './fake-logits.ts';

// Scores labels with --expose-gc, and prints the bytes of all buffers that are held at each run of the decoder, and at the end.

export interface HeldLogits {
  readonly held: readonly number[];
  readonly after: number;
  /** The logits of one run. */
  readonly ofRun: number;
}

const VOCABULARY = 50_000;
const collect = globalThis.gc as () => void;

/** What is held when nothing is left to free: the memory of buffers is freed beside a collection, and the next one waits for that. */
async function memory(): Promise<number> {
  for (const _ of [1, 2, 3]) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().arrayBuffers;
}

const held: number[] = [];
const lm = fakeModel(VOCABULARY, async () => void held.push(await memory()));
const labels = Array.from({ length: 20 }, (_, label) => [label + 10, label + 40, label + 70]);
const score = await labelScorer(lm, labelTrie(labels), { padding: false, normalisation: 'sum' }, meter);
const step = await prefilled(lm, 8);
held.length = 0;
await score(step, meter);
// Of 16 rows with two positions each, in 16 bits.
const found: HeldLogits = { held, after: await memory(), ofRun: 16 * 2 * VOCABULARY * 2 };
console.log(JSON.stringify(found));
