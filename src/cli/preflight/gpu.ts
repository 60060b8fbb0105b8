import { type CudaLibraries, fixOfLibraries, librariesProblem, SETUP } from '../../inference/cuda-libraries.ts';
import type { CudaProbe } from '../../inference/providers.ts';
import { type Check, type CheckResult, fail, type Finding, ok, runCheck, skipped, warn } from './check.ts';
import { type GpuModels, memoryFix, neededMib } from './gpu-memory.ts';
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

/** What the configuration says of the GPU. */
export interface GpuSettings {
  readonly wanted: 'cuda' | 'cpu' | 'auto';
  readonly deviceId: number;
  /** Of CUDA, with every `auto` resolved. */
  readonly models: GpuModels;
}

/**
 * Decides whether the models can run on the GPU. `cuda` never falls back: what is missing is a failure. `auto` takes the
 * CPU then, and what is missing becomes a warning, so that nobody wonders why it is slow.
 */
export async function checkGpu(settings: GpuSettings, deps: GpuDeps, signal: AbortSignal): Promise<GpuOutcome> {
  const { wanted, deviceId } = settings;
  const names = ['GPU', 'CUDA libraries', 'CUDA provider'] as const;
  if (wanted === 'cpu') {
    return { device: 'cpu', checks: names.map((name) => ({ name, ...skipped('DEVICE=cpu') })) };
  }
  const [gpu, libraries] = await Promise.all([
    runCheck(gpuCheck(settings, deps), signal),
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

function gpuCheck(settings: GpuSettings, deps: GpuDeps): Check {
  return {
    name: 'GPU',
    timeoutMs: 20_000,
    fix: 'nvidia-smi hangs when a driver or a GPU is broken: reboot the host, or choose DEVICE=cpu',
    run: async (signal) => {
      const query = await deps.queryGpus(signal);
      return query.ok ? judgeGpu(query.gpus, settings) : fail(query.detail, query.fix);
    },
  };
}

/** What an operator must know of the GPU that the worker is to use. */
export function judgeGpu(
  gpus: readonly Gpu[],
  { deviceId, models }: Pick<GpuSettings, 'deviceId' | 'models'>,
): Finding {
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
  if (gpu.memoryFreeMib > 0 && gpu.memoryFreeMib < neededMib(models)) return warn(detail, memoryFix(models));
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
