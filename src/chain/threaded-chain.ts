import { Failure } from '../failure/failure.ts';
import type { ChainStage } from '../failure/stage.ts';
import { stageMeter } from '../inference/stage-meter.ts';
import type { ThreadClient } from '../inference/thread/thread-client.ts';
import type { ChainDescription, FrameHandle, ModelChain, StageMethods, StageTiming } from './model-chain.ts';
import { perStage } from './per-stage.ts';
import { threadOf } from './stages.ts';
import type { LanguageMethods, OwnedPicture, VisionMethods } from './threads.ts';

type Answer = (
  stage: ChainStage,
  handle: FrameHandle,
  ask: readonly unknown[],
  signal: AbortSignal,
) => Promise<unknown>;

/** The chain as the main thread sees it: no pixel is touched and no model runs here. */
export function threadedChain(
  description: ChainDescription,
  vision: ThreadClient<VisionMethods>,
  language: ThreadClient<LanguageMethods>,
): ModelChain {
  /** Handles that are added and not released, to refuse a wrong one without a round trip. */
  const live = new Set<FrameHandle>();
  let lastHandle = 0;
  const assertLive = (handle: FrameHandle): void => {
    if (live.has(handle)) return;
    throw new Failure('INFERENCE_FAILED', `no frame has the handle ${handle}: it was never added or is released`);
  };
  const inVision: Answer = (stage, handle, ask, signal) => vision.call('answer', { stage, handle, ask }, { signal });
  const inLanguage: Answer = async (stage, handle, ask, signal) => {
    const pictures = await vision.call('crops', { stage, handle, ask }, { signal });
    const transfer = pictures.map((picture) => picture.pixels.buffer);
    return language.call('answer', { stage, pictures }, { signal, transfer });
  };
  const stages = perStage((stage) => {
    const answer = threadOf(stage) === 'vision' ? inVision : inLanguage;
    return async (handle: FrameHandle, ...rest: readonly unknown[]) => {
      assertLive(handle);
      return answer(stage, handle, rest.slice(0, -1), rest.at(-1) as AbortSignal);
    };
  }) as StageMethods;

  return {
    ...stages,
    description,
    addFrame: ({ width, height, pixels, index, release }) => {
      if (pixels.length !== width * height * 3) {
        throw new Failure(
          'VIDEO_DECODE_FAILED',
          `frame ${index} has ${pixels.length} bytes, expected ${width * height * 3} for ${width}x${height} RGB`,
        );
      }
      const handle = ++lastHandle as FrameHandle;
      const picture: OwnedPicture = { width, height, pixels: new Uint8Array(pixels) };
      release();
      vision.notify('addFrame', { handle, picture }, [picture.pixels.buffer]);
      live.add(handle);
      return handle;
    },
    releaseFrame: (handle) => {
      if (live.delete(handle)) vision.notify('releaseFrame', { handle });
    },
    jpeg: async (handle, options, signal) => {
      assertLive(handle);
      return vision.call('jpeg', { handle, options }, { signal });
    },
    timings: async () => {
      const [seen, read] = await Promise.all([vision.call('meters', null), language.call('meters', null)]);
      const meters = { ...seen, ...read };
      return perStage((stage): StageTiming => meters[stage] ?? stageMeter());
    },
    close: async () => {
      live.clear();
      await Promise.all([vision.close(), language.close()]);
    },
  };
}
