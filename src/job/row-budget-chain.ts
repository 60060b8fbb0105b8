import type { ModelChain } from '../chain/model-chain.ts';
import { checkRowBudget } from '../persistence/row-budget.ts';

/**
 * The chain, for one video, that refuses to go on when the detections alone are more rows than may be stored: each becomes
 * one. What comes on top of them is counted when the result is stored; a video that is far too long or too crowded is
 * known here, before hours of a GPU and the memory are spent on it.
 */
export function withRowBudget(chain: ModelChain, maxRows: number): ModelChain {
  let rows = 0;
  return {
    ...chain,
    detection: async (handle, signal) => {
      const detections = await chain.detection(handle, signal);
      rows += detections.length;
      checkRowBudget(rows, maxRows);
      return detections;
    },
  };
}
