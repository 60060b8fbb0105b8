/** The arguments that say how the chain is loaded. */

import { CHAIN_WORK, type ChainWork } from './chain-load.ts';
import { countsArgument } from './command-arguments.ts';

/** What is asked of a frame, and how many are under way. */
export type LoadName = readonly [work: ChainWork, inFlight: number];

/** Reads loads such as `track:32,all:8`; throws a sentence for others. */
export function loadsArgument(text: string): readonly LoadName[] {
  return text.split(',').map((load) => {
    const [work = '', inFlight] = load.split(':');
    if (!isWork(work) || !/^[1-9]\d*$/.test(inFlight ?? '')) {
      throw new Error(`a load is ${Object.keys(CHAIN_WORK).join(', ')} and a number, such as frame:64, not ${load}`);
    }
    return [work, Number(inFlight)];
  });
}

function isWork(text: string): text is ChainWork {
  return Object.hasOwn(CHAIN_WORK, text);
}

/** The most frames, people and prompts in one run. */
export interface ChainBatches {
  readonly detection: number;
  readonly people: number;
  readonly language: number;
}

/** Reads batches such as `8,32,8`; throws a sentence for others. */
export function batchesArgument(text: string): ChainBatches {
  const [detection, people, language, ...more] = countsArgument(text);
  if (detection === undefined || people === undefined || language === undefined || more.length > 0) {
    throw new Error(`the batches are three numbers, such as 8,32,8, not ${text}`);
  }
  return { detection, people, language };
}
