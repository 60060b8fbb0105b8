import type { Logger } from 'pino';
import { Failure } from '../failure/failure.ts';
import type { Pack } from '../packs/load-pack.ts';
import type { StageMeter } from '../inference/stage-meter.ts';
import { ThreadClient, threadEntry } from '../inference/thread/thread-client.ts';
import { assertPack } from '../packs/verify-pack.ts';
import type { ChainDescription, FrameHandle, ModelChain } from './model-chain.ts';
import type { LanguageMethods, OwnedPicture, ThreadOptions, VisionMethods } from './threads.ts';

export interface ModelChainOptions {
  readonly pack: Pack;
  readonly device: 'cpu' | 'cuda';
  /** CUDA device number, 0 by default. */
  readonly deviceId?: number;
  /** Threads inside one operator on the CPU, for each of the two model threads; 0: every core. */
  readonly threads: { readonly vision: number; readonly language: number };
  /** Most frames, person crops and prompts in one run. */
  readonly batch: { readonly detection: number; readonly people: number; readonly language: number };
  /**
   * Fill batches up to a few sizes and warm each; default: on CUDA only. Without it CUDA opens a session, and plans its
   * convolutions within a job, for every batch size that it meets.
   */
  readonly padBatches?: boolean;
  /** Compare the sha256 of every file before loading; default true. */
  readonly verifyHashes?: boolean;
  readonly logger?: Pick<Logger, 'info'>;
  /** Gives the start up; what was started is closed. */
  readonly signal?: AbortSignal;
}

/**
 * Verifies the pack, opens and warms its models in a vision and a language thread, and resolves when both are ready to run.
 * Rejects with PACK_BROKEN, a CUDA failure or INFERENCE_THREAD_DIED; nothing is left running then.
 */
export async function createModelChain(options: ModelChainOptions): Promise<ModelChain> {
  const { pack, device, batch, logger } = options;
  const started = performance.now();
  await assertPack(pack, { hash: options.verifyHashes ?? true, graphs: false });
  const threadOptions = (threads: number): ThreadOptions => ({
    packDir: pack.dir,
    filesRoot: pack.filesRoot,
    target: { device, threads, ...(options.deviceId === undefined ? {} : { deviceId: options.deviceId }) },
    padding: options.padBatches ?? device === 'cuda',
    batch,
  });
  const [vision, language] = await startBoth(
    ThreadClient.start<VisionMethods>(
      'vision',
      threadEntry(import.meta.url, './vision-thread'),
      threadOptions(options.threads.vision),
      options.signal,
    ),
    ThreadClient.start<LanguageMethods>(
      'language',
      threadEntry(import.meta.url, './language-thread'),
      threadOptions(options.threads.language),
      options.signal,
    ),
  );
  logger?.info(
    { pack: pack.manifest.name, device, milliseconds: Math.round(performance.now() - started) },
    'the models are loaded and warm',
  );
  const description: ChainDescription = {
    packName: pack.manifest.name,
    packFingerprint: pack.fingerprint,
    device,
    vocabulary: pack.manifest.action.labels,
  };
  return new ThreadedModelChain(description, vision, language);
}

/** Both threads, or none: when one fails, the other is closed before the failure is reported. */
async function startBoth<A extends { close(): Promise<void> }, B extends { close(): Promise<void> }>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  for (const settled of [a, b]) if (settled.status === 'fulfilled') await settled.value.close();
  throw a.status === 'rejected' ? a.reason : (b as PromiseRejectedResult).reason;
}

/** The chain as the main thread sees it: no pixel is touched and no model runs here. */
class ThreadedModelChain implements ModelChain {
  readonly description: ChainDescription;
  readonly #vision: ThreadClient<VisionMethods>;
  readonly #language: ThreadClient<LanguageMethods>;
  /** Handles that are added and not released, to refuse a wrong one without a round trip. */
  readonly #live = new Map<FrameHandle, { readonly width: number; readonly height: number }>();
  #lastHandle = 0;

  constructor(
    description: ChainDescription,
    vision: ThreadClient<VisionMethods>,
    language: ThreadClient<LanguageMethods>,
  ) {
    this.description = description;
    this.#vision = vision;
    this.#language = language;
  }

  addFrame: ModelChain['addFrame'] = (frame) => {
    const { width, height, pixels } = frame;
    if (pixels.length !== width * height * 3) {
      throw new Failure(
        'VIDEO_DECODE_FAILED',
        `frame ${frame.index} has ${pixels.length} bytes, expected ${width * height * 3} for ${width}x${height} RGB`,
      );
    }
    const handle = ++this.#lastHandle as FrameHandle;
    const picture: OwnedPicture = { width, height, pixels };
    this.#vision.notify('addFrame', { handle, picture }, [pixels.buffer]);
    this.#live.set(handle, { width, height });
    return handle;
  };

  releaseFrame: ModelChain['releaseFrame'] = (handle) => {
    if (this.#live.delete(handle)) this.#vision.notify('releaseFrame', { handle });
  };

  detect: ModelChain['detect'] = async (handle, signal) => {
    this.#size(handle);
    return this.#vision.call('detect', { handle }, { signal });
  };

  ageGender: ModelChain['ageGender'] = async (handle, detections, pairs, signal) => {
    this.#size(handle);
    return pairs.length === 0 ? [] : this.#vision.call('ageGender', { handle, detections, pairs }, { signal });
  };

  orientation: ModelChain['orientation'] = async (handle, boxes, signal) => {
    this.#size(handle);
    return boxes.length === 0 ? [] : this.#vision.call('orientation', { handle, boxes }, { signal });
  };

  action: ModelChain['action'] = async (handle, boxes, signal) => {
    this.#size(handle);
    if (boxes.length === 0) return [];
    const crops = await this.#vision.call('crops', { handle, boxes }, { signal });
    return this.#language.call('action', { crops }, { signal, transfer: crops.map((crop) => crop.pixels.buffer) });
  };

  describe: ModelChain['describe'] = async (handle, signal) => {
    const { width, height } = this.#size(handle);
    const boxes = [{ x1: 0, y1: 0, x2: width, y2: height }];
    const [frame] = await this.#vision.call('crops', { handle, boxes }, { signal });
    if (frame === undefined) throw new Failure('SCENE_FAILED', 'the vision thread gave no picture');
    return this.#language.call('describe', { frame }, { signal, transfer: [frame.pixels.buffer] });
  };

  jpeg: ModelChain['jpeg'] = async (handle, options, signal) => {
    this.#size(handle);
    return this.#vision.call('jpeg', { handle, options }, { signal });
  };

  timings: ModelChain['timings'] = async () => {
    const [vision, language] = await Promise.all([
      this.#vision.call('meters', null),
      this.#language.call('meters', null),
    ]);
    return { ...vision, ...language } satisfies Record<string, StageMeter>;
  };

  close: ModelChain['close'] = async () => {
    this.#live.clear();
    await Promise.all([this.#vision.close(), this.#language.close()]);
  };

  #size(handle: FrameHandle): { readonly width: number; readonly height: number } {
    const size = this.#live.get(handle);
    if (size === undefined) {
      throw new Failure('INFERENCE_FAILED', `no frame has the handle ${handle}: it was never added or is released`);
    }
    return size;
  }
}
