import type { Detection, ModelChain } from '../chain/model-chain.ts';
import { createTurns } from './frame-flow.ts';
import { stillPicturesOf, type AnalysisSettings } from './settings.ts';
import type { SharedFrame } from './shared-frame.ts';

/** What is in a frame, and whether that was taken over from an earlier one whose picture is the same. */
interface Look {
  readonly detections: readonly Detection[];
  readonly isStill: boolean;
}

export interface StillGate {
  /** Detects, or says what was detected before. Called in frame order; the answers may be waited for at once. */
  look(shared: SharedFrame, t: number, signal: AbortSignal): Promise<Look>;
  /** Gives back the frame that others are compared with. When no look is under way any more. */
  close(): void;
}

/** Levels of 0..255: above the noise and the compression of a camera that does not move, far below a person. */
const STILL_LEVELS = 8;
/** However still it is, so often the picture is analysed. */
const MAX_STILL_SECONDS = 10;

interface Analysed {
  readonly shared: SharedFrame;
  readonly t: number;
  readonly detections: Promise<readonly Detection[]>;
}

/**
 * Compares each frame with the last one that was analysed, not with the one before it, so that what changes slowly adds up. Exact
 * attributes look at every frame, whatever the setting.
 */
export function createStillGate(
  chain: ModelChain,
  settings: Pick<AnalysisSettings, 'stillPictures' | 'attributes'>,
): StillGate {
  const turns = createTurns();
  let analysed: Analysed | null = null;

  async function isStill({ handle }: SharedFrame, t: number, signal: AbortSignal): Promise<boolean> {
    if (analysed === null) return false;
    const age = t - analysed.t;
    if (age < 0 || age >= MAX_STILL_SECONDS) return false;
    return (await chain.difference(handle, analysed.shared.handle, signal)) <= STILL_LEVELS;
  }

  function analyse(shared: SharedFrame, t: number, signal: AbortSignal): Analysed {
    analysed?.shared.release();
    shared.retain();
    analysed = { shared, t, detections: chain.detection(shared.handle, signal) };
    return analysed;
  }

  if (stillPicturesOf(settings) === 'analyse') {
    return {
      look: async ({ handle }, _t, signal) => ({ detections: await chain.detection(handle, signal), isStill: false }),
      close: () => undefined,
    };
  }
  return {
    async look(shared, t, signal) {
      const turn = turns();
      let seen: Analysed | null = null;
      let still = false;
      try {
        await turn.wait();
        signal.throwIfAborted();
        still = await isStill(shared, t, signal);
        seen = still ? analysed : analyse(shared, t, signal);
      } finally {
        turn.done();
      }
      return { detections: (await seen?.detections) ?? [], isStill: still };
    },
    close() {
      analysed?.shared.release();
      analysed = null;
    },
  };
}
