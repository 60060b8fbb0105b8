import { stageMeter } from '../inference/stage-meter.ts';
import type { BatchQueue } from '../inference/thread/batch-queue.ts';

/**
 * Lowers the limits of a thread's stages, and gives back what is kept for larger runs. It takes its place in the thread's order of work:
 * a session must not go while it runs.
 */
export function lowerThread(
  queue: BatchQueue,
  releases: readonly ((rows: number) => Promise<void>)[],
): (request: { readonly most: number }, context: { readonly signal: AbortSignal }) => Promise<void> {
  const submit = queue.stage<number, void>({
    limit: 1,
    meter: stageMeter(),
    run: async ([most = 1]) => {
      queue.lowerLimits(most);
      for (const release of releases) await release(most);
      return [undefined];
    },
  });
  return ({ most }, { signal }) => submit(most, signal);
}
