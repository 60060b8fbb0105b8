import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../chaos/random.ts';
import { keep, keptOf, loadTarget, seedsOf } from './corpus.ts';
import type { Fault } from './judge.ts';
import { Search } from './search.ts';
import { SharedInput } from './shared-input.ts';

export interface ThreadData {
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  readonly shared: SharedArrayBuffer;
  /** Where what was found on this machine lies. */
  readonly folder: string;
}

/** How far a thread is. */
export interface Figures {
  readonly runs: number;
  readonly seconds: number;
  readonly blocks: number;
  /** After the seeds alone. */
  readonly seedBlocks: number;
  readonly corpus: number;
}

export type ThreadMessage =
  | { readonly kind: 'find'; readonly input: Uint8Array; readonly fault: Fault }
  | { readonly kind: 'figures'; readonly figures: Figures };

const TELL_MS = 1_000;

const { target: name, seed, seconds, shared: buffer, folder } = workerData as ThreadData;
const shared = new SharedInput(buffer);
const target = await loadTarget(name);
const port = parentPort;
const tell = (message: ThreadMessage): void => port?.postMessage(message, []);

using search = new Search({
  target,
  random: seededRandom(seed),
  onInput: (input) => {
    shared.input = input;
  },
  onFind: (input, fault) => tell({ kind: 'find', input, fault }),
  onNew: (input) => keep(folder, name, input),
});
const begin = performance.now();
const seeds = seedsOf(name);
if (seeds.length === 0) search.add(Buffer.alloc(0), true);
for (const { input } of seeds) search.add(input, true);
const seedBlocks = search.blocks;
for (const { input } of keptOf(folder, name)) search.add(input.subarray(0, target.maxBytes), false);
let told = begin;
for (let now = begin; now - begin < seconds * 1000 && !shared.isStopped; now = performance.now()) {
  search.round();
  if (now - told < TELL_MS) continue;
  told = now;
  tellFigures();
}
tellFigures();

function tellFigures(): void {
  const { runs, blocks, corpusSize: corpus } = search;
  tell({ kind: 'figures', figures: { runs, blocks, seedBlocks, corpus, seconds: (performance.now() - begin) / 1000 } });
}
