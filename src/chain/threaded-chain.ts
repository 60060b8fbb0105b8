import { stageMeter } from '../inference/stage-meter.ts';
import type { ThreadClient } from '../inference/thread/thread-client.ts';
import { createPixelKernel } from '../vision/kernel/pixel-kernel.ts';
import { isReadable } from './age-gender/person-parts.ts';
import { BatchMemory, type BatchMemoryOptions } from './batch-memory.ts';
import { LentFrames } from './lent-frames.ts';
import type { ChainDescription, FrameHandle, ModelChain, StageMethods, StageTiming } from './model-chain.ts';
import { mostOf } from './lower-batches.ts';
import { perStage } from './per-stage.ts';
import { pictureIn } from './shared-picture.ts';
import type { BatchLimits } from './stage.ts';
import { STAGE_THREADS, type ModelThread } from './stage-threads.ts';
import type { LanguageMethods, ModelMethods, VisionMethods } from './threads.ts';

/** Threads that together can answer every call. */
export interface Pipeline {
  readonly frames: ThreadClient<VisionMethods>;
  /** May be the thread of the frames. */
  readonly people: ThreadClient<VisionMethods>;
  readonly language: ThreadClient<LanguageMethods>;
}

/** Batches that may become smaller where the GPU has no memory for a call. */
type ChainBatches = Pick<BatchMemoryOptions, 'batch' | 'onLowered'>;

/**
 * The chain as the main thread sees it: no model runs here, and pixels are looked at only for whether a crop that is about to be read is
 * black. Each call goes to the thread that has the fewest, whichever pipeline the frame's other calls went to. `batches` is null where
 * they are to stay as they are.
 */
export function threadedChain(
  description: ChainDescription,
  pipelines: readonly [Pipeline, ...Pipeline[]],
  batches: ChainBatches | null,
): ModelChain {
  const frames = new LentFrames();
  const threads: Readonly<Record<ModelThread, readonly Client[]>> = {
    frames: pipelines.map((pipeline) => pipeline.frames),
    people: pipelines.map((pipeline) => pipeline.people),
    language: pipelines.map((pipeline) => pipeline.language),
  };
  const vision = [...new Set(pipelines.flatMap(({ frames: one, people }) => [one, people]))];
  const all = [...vision, ...threads.language];
  const lower = (to: BatchLimits): Promise<unknown> =>
    Promise.all(all.map((client) => client.call('lower', { most: mostOf(to) })));
  const memory = batches === null ? null : new BatchMemory({ ...batches, lower });
  const stages = perStage((stage) => {
    const clients = threads[STAGE_THREADS[stage]];
    return async (handle: FrameHandle, ...rest: readonly unknown[]) => {
      const signal = rest.at(-1) as AbortSignal;
      const answer = async (): Promise<unknown> => {
        const { picture, end } = frames.lend(handle);
        const request = { stage, frame: picture, ask: rest.slice(0, -1) };
        return leastBusy(clients).call('answer', request, { signal, onEnded: end });
      };
      return memory === null ? answer() : memory.findFor(answer, signal);
    };
  }) as StageMethods;

  return {
    ...stages,
    description,
    ...frameMethods(frames, vision),
    timings: async () => {
      const meters = await Promise.all(all.map((client) => client.call('meters', null)));
      return perStage((stage): StageTiming => meters.map((of) => of[stage] ?? stageMeter()).reduce(sumOf));
    },
    close: async () => {
      frames.releaseAll();
      await Promise.all(all.map((client) => client.close()));
    },
  };
}

type FrameMethods = Pick<ModelChain, 'addFrame' | 'releaseFrame' | 'isReadable' | 'jpeg' | 'difference'>;

/** What needs a frame and no model. */
function frameMethods(frames: LentFrames, vision: readonly ThreadClient<VisionMethods>[]): FrameMethods {
  const kernel = createPixelKernel();
  return {
    addFrame: (frame) => frames.add(frame),
    releaseFrame: (handle) => frames.release(handle),
    isReadable: (handle, detections, pair) => {
      const { picture, end } = frames.lend(handle);
      try {
        return isReadable({ frame: pictureIn(picture), detections, pair }, kernel);
      } finally {
        end();
      }
    },
    jpeg: async (handle, options, signal) => {
      const { picture, end } = frames.lend(handle);
      return leastBusy(vision).call('jpeg', { frame: picture, options }, { signal, onEnded: end });
    },
    difference: async (handle, other, signal) => {
      const [{ picture: frame, end: endFrame }, { picture: against, end: endOther }] = frames.lendBoth(handle, other);
      const onEnded = (): void => {
        endFrame();
        endOther();
      };
      return leastBusy(vision).call('difference', { frame, other: against }, { signal, onEnded });
    },
  };
}

type Client = Pick<ThreadClient<ModelMethods>, 'call' | 'openCalls' | 'close'>;

function leastBusy<C extends Pick<Client, 'openCalls'>>(clients: readonly C[]): C {
  return clients.reduce((least, client) => (client.openCalls < least.openCalls ? client : least));
}

function sumOf(a: StageTiming, b: StageTiming): StageTiming {
  return {
    runs: a.runs + b.runs,
    items: a.items + b.items,
    runMs: a.runMs + b.runMs,
    totalMs: a.totalMs + b.totalMs,
  };
}
