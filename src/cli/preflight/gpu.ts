import { type CudaLibraries, fixOfLibraries, librariesProblem, SETUP } from '../../inference/cuda-libraries.ts';
import type { CudaProbe } from '../../inference/providers.ts';
import { type Check, type CheckResult, fail, type Finding, ok, runCheck, skipped, warn } from './check.ts';
import type { Gpu, GpuQuery } from './nvidia-smi.ts';

export interface GpuDeps {
  queryGpus(signal: AbortSignal): Promise<GpuQuery>;
  inspectLibraries(): Promise<CudaLibraries>;
  probeCuda(deviceId: number): Promise<CudaProbe>;
}

export interface GpuOutcome {
  /** Where the models are to run. */
  readonly device: 'cuda' | 'cpu';
  readonly checks: readonly CheckResult[];
}

/** CUDA 13 needs this driver branch; cuDNN 9 with CUDA 13 has no kernels for anything before Turing. */
const MIN_DRIVER = 580;
const MIN_CAPABILITY = 7.5;
/**
 * The official models in half precision took 13,829 MiB with batches of up to eight (docs/benchmarks.md, On a GPU). By what ONNX Runtime asks
 * for on stand-ins for CUDA's libraries, batches of up to 64 people take 2,560 MiB more, and local scene texts beside the action's own
 * graph 2,510.
 */
const COMFORTABLE_MIB = 18.5 * 1024;

/**
 * Decides whether the models can run on the GPU. `cuda` never falls back: what is missing is a failure. `auto` takes the
 * CPU then, and what is missing becomes a warning, so that nobody wonders why it is slow.
 */
export async function checkGpu(
  wanted: 'cuda' | 'cpu' | 'auto',
  deviceId: number,
  deps: GpuDeps,
  signal: AbortSignal,
): Promise<GpuOutcome> {
  const names = ['GPU', 'CUDA libraries', 'CUDA provider'] as const;
  if (wanted === 'cpu') {
    return { device: 'cpu', checks: names.map((name) => ({ name, ...skipped('DEVICE=cpu') })) };
  }
  const [gpu, libraries] = await Promise.all([
    runCheck(gpuCheck(deviceId, deps), signal),
    runCheck(librariesCheck(deps), signal),
  ]);
  const usable = gpu.status !== 'fail' && libraries.status !== 'fail';
  // The probe blocks this thread while CUDA starts: it runs after the others, and not where it can only fail.
  const provider = usable
    ? await runCheck(providerCheck(deviceId, deps), signal)
    : { name: names[2], ...skipped('needs a GPU and its libraries') };
  const checks = [gpu, libraries, provider];
  if (checks.every((check) => check.status !== 'fail')) return { device: 'cuda', checks };
  if (wanted === 'cuda') return { device: 'cuda', checks };
  return {
    device: 'cpu',
    checks: [
      {
        name: 'device',
        ...warn(
          'DEVICE=auto: the models run on the CPU, many times slower than on a GPU',
          'mend what is named below, or choose DEVICE=cpu to have it so',
        ),
      },
      ...checks.map((check) => (check.status === 'fail' ? { ...check, status: 'warn' as const } : check)),
    ],
  };
}

function gpuCheck(deviceId: number, deps: GpuDeps): Check {
  return {
    name: 'GPU',
    timeoutMs: 20_000,
    fix: 'nvidia-smi hangs when a driver or a GPU is broken: reboot the host, or choose DEVICE=cpu',
    run: async (signal) => {
      const query = await deps.queryGpus(signal);
      return query.ok ? judgeGpu(query.gpus, deviceId) : fail(query.detail, query.fix);
    },
  };
}

/** What an operator must know of the GPU that the worker is to use. */
export function judgeGpu(gpus: readonly Gpu[], deviceId: number): Finding {
  const gpu = gpus[deviceId];
  if (gpu === undefined) {
    return fail(
      `GPU_DEVICE_ID is ${deviceId}, this host has ${gpus.length} GPU(s)`,
      `choose GPU_DEVICE_ID from 0 to ${gpus.length - 1}`,
    );
  }
  const capability = gpu.computeCapability === null ? 'unknown' : gpu.computeCapability.toFixed(1);
  const detail = `${gpu.name}, driver ${gpu.driver}, ${gpu.memoryFreeMib} of ${gpu.memoryTotalMib} MiB free, compute capability ${capability}`;
  if (Number.parseInt(gpu.driver, 10) < MIN_DRIVER) {
    return fail(detail, `CUDA 13 needs driver ${MIN_DRIVER} or newer: update the NVIDIA driver`);
  }
  if (gpu.computeCapability !== null && gpu.computeCapability < MIN_CAPABILITY) {
    return fail(
      detail,
      `compute capability ${MIN_CAPABILITY} or newer is needed (T4, A10G, L4 and later): use another GPU, or DEVICE=cpu`,
    );
  }
  if (gpu.memoryFreeMib > 0 && gpu.memoryFreeMib < COMFORTABLE_MIB) {
    return warn(
      detail,
      'little memory is free: the official models take some 18.5 GiB, 2.5 less each with PEOPLE_BATCH_SIZE=8 and without SCENE=local; batches that do not fit become smaller ones at the start. End other programs on this GPU, or lower PEOPLE_BATCH_SIZE, DETECTION_BATCH_SIZE and LANGUAGE_BATCH_SIZE',
    );
  }
  return ok(detail);
}

function librariesCheck(deps: GpuDeps): Check {
  return {
    name: 'CUDA libraries',
    timeoutMs: 20_000,
    fix: SETUP,
    run: async () => {
      const found = await deps.inspectLibraries();
      const problem = librariesProblem(found);
      return problem === null ? ok(`in ${found.dir}`) : fail(problem, fixOfLibraries(found));
    },
  };
}

function providerCheck(deviceId: number, deps: GpuDeps): Check {
  return {
    name: 'CUDA provider',
    timeoutMs: 120_000,
    fix: SETUP,
    run: async () => {
      const probe = await deps.probeCuda(deviceId);
      return probe.ok
        ? ok(`a convolution ran on device ${deviceId} (${Math.round(probe.milliseconds)} ms with start)`)
        : fail(probe.reason, probe.fix);
    },
  };
}
