import type { Logger } from '../telemetry/logger.ts';
import type { Pack } from '../packs/load-pack.ts';
import { ThreadClient, threadEntry } from '../inference/thread/thread-client.ts';
import { assertPack } from '../packs/verify-pack.ts';
import type { ChainDescription, ModelChain } from './model-chain.ts';
import type { BatchLimits } from './stage.ts';
import { threadedChain } from './threaded-chain.ts';
import type { LanguageMethods, ThreadOptions, VisionMethods } from './threads.ts';

interface ModelChainOptions {
  readonly pack: Pack;
  readonly device: 'cpu' | 'cuda';
  /** CUDA device number, 0 by default. */
  readonly deviceId?: number;
  /** Threads inside one operator on the CPU, for each of the two model threads; 0: every core. */
  readonly threads: { readonly vision: number; readonly language: number };
  readonly batch: BatchLimits;
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
  return threadedChain(description, vision, language);
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
