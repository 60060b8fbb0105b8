/**
 * Measures frames per second of the project's model chain as the worker uses it, with its threads, queues and batches but without a
 * decoder, for several numbers of frames under way.
 *
 *     chain.ts PACK cuda|cpu [1080p|small] [--batches 8,8,8] [--seconds 2] [--loads frame:64,all:32]
 *
 * Batches: the most frames, people and prompts in one run. Seconds: of every load; one with the language model takes half as long again.
 * Loads: what is asked of a frame (track, frame or all) and how many are under way.
 */

import { parseArgs } from 'node:util';
import { createModelChain } from '../../../../src/chain/create-model-chain.ts';
import { batchSizes } from '../../../../src/inference/batch.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { countCandidates } from '../../gpu/candidates.ts';
import { answerDetection } from '../null-cuda/answers.ts';
import { batchesArgument, loadsArgument } from './chain-arguments.ts';
import { CHAIN_WORK, measureChain } from './chain-load.ts';
import { deviceArgument, requireArguments } from './command-arguments.ts';
import { rounded } from '../../figures.ts';
import { counting, isHeld } from '../null-cuda/counts.ts';
import { errorText, printLine } from './json-lines.ts';

const LOADS = 'frame:8,frame:32,frame:64,track:64,all:8,all:32';
const CPU_LOADS = 'frame:2,all:2';

const { values, positionals } = parseArgs({
  options: {
    batches: { type: 'string', default: '8,8,8' },
    seconds: { type: 'string', default: '2' },
    loads: { type: 'string' },
  },
  allowPositionals: true,
});
requireArguments(
  positionals,
  2,
  'chain.ts PACK cuda|cpu [1080p|small] [--batches 8,8,8] [--seconds 2] [--loads frame:64]',
);
const [dir = '', deviceText, size = '1080p'] = positionals;
if (size !== '1080p' && size !== 'small') throw new Error(`the frames are 1080p or small, not ${size}`);
const device = deviceArgument(deviceText);
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error(`--seconds is a number above 0, not ${values.seconds}`);
const batch = batchesArgument(values.batches);
const batches = Object.values(batch).join(',');
const loads = loadsArgument(values.loads ?? (device === 'cpu' ? CPU_LOADS : LOADS));

try {
  const pack = await loadPack(dir);
  await answerDetection(pack, batchSizes(batch.detection));
  const candidates = await countCandidates(pack, { device });
  const threads = countThreads();
  const began = performance.now();
  const chain = await createModelChain({
    pack,
    device,
    threads: { vision: 0, language: 0 },
    batch,
    localScenes: false,
    logger: { info: () => {}, warn: (_fields: object, warning: string) => printLine({ batches, warning }) },
    verifyHashes: false,
  });
  printLine({
    batches,
    pack: pack.manifest.name,
    startSeconds: rounded((performance.now() - began) / 1000),
    threads: threads(),
    candidates,
  });
  try {
    for (const [work, inFlight] of loads) {
      const load = { work, inFlight, seconds: work === 'all' ? seconds * 1.5 : seconds, size } as const;
      const asked = askedPerFrame();
      const figures = await measureChain(chain, { ...load, watchGpu: device === 'cuda' });
      printLine({ batches, what: CHAIN_WORK[work], inFlight, ...figures, ...asked(figures.frames) });
    }
  } finally {
    await chain.close();
  }
} catch (error) {
  printLine({ batches, error: errorText(error) });
}

/** Threads that were started since. */
function countThreads(): () => number {
  let count = 0;
  process.on('worker', () => (count += 1));
  return () => count;
}

/** What the frames ask of the GPU from now on, on the stand-ins, which count it. */
function askedPerFrame(): (frames: number) => { readonly askedPerFrame?: Readonly<Record<string, number>> } {
  const counted = counting();
  if (counted === null) return () => ({});
  return (frames) => {
    const ofFrames = Object.entries(counted()).filter(([name]) => !isHeld(name));
    return { askedPerFrame: Object.fromEntries(ofFrames.map(([name, count]) => [name, rounded(count / frames)])) };
  };
}
