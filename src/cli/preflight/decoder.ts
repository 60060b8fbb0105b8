import { GPU_CHECK_LIMIT_MS } from '../../video/check/check-gpu-decoder.ts';
import { type CheckResult, fail, ok, runCheck, warn } from './check.ts';

export interface DecoderDeps {
  /** Why the GPU's decoder cannot be used; null: it decodes, and to the same pixels as the processor. */
  checkGpuDecoder(gpu: number, signal: AbortSignal): Promise<string | null>;
}

export interface DecoderSettings {
  readonly device: 'cpu' | 'cuda' | 'auto';
  readonly gpu: number;
  readonly mode: 'exact' | 'fast';
  /** Of one video. */
  readonly threads: number;
}

export interface DecoderOutcome {
  /** CUDA's number of the GPU that decodes; null: the processor does. */
  readonly gpu: number | null;
  readonly check: CheckResult;
}

const NAME = 'decoder';
const FIX =
  'use an ffmpeg with CUDA and a driver with its video part (in a container: NVIDIA_DRIVER_CAPABILITIES with video), or choose DECODE_DEVICE=cpu';

/** Decides what decodes the videos. `cuda` never falls back: what is missing is a failure. `auto` takes the processor then, and says why. */
export async function checkDecoder(
  { device, gpu, mode, threads }: DecoderSettings,
  deps: DecoderDeps,
  signal: AbortSignal,
): Promise<DecoderOutcome> {
  const processor = `the processor, ${threads} ${threads === 1 ? 'thread' : 'threads'} for each video; DECODE=${mode}`;
  if (device === 'cpu') return { gpu: null, check: { name: NAME, ...ok(processor) } };
  const check = await runCheck(
    {
      name: NAME,
      timeoutMs: GPU_CHECK_LIMIT_MS,
      fix: FIX,
      run: async (limited) => {
        const reason = await deps.checkGpuDecoder(gpu, limited);
        return reason === null ? ok(`NVDEC of GPU ${gpu}; DECODE=${mode}`) : fail(reason, FIX);
      },
    },
    signal,
  );
  if (check.status !== 'fail') return { gpu, check };
  if (device === 'cuda') return { gpu, check };
  return { gpu: null, check: { name: NAME, ...warn(`${processor} (DECODE_DEVICE=auto: ${check.detail})`, FIX) } };
}
