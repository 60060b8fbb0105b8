/** What nvidia-smi says of the first GPU. */

import { queryGpus } from '../../../src/cli/preflight/nvidia-smi.ts';

export interface CurrentGpu {
  readonly name: string;
  readonly driver: string;
  readonly usedMib: number;
}

/** Null where nvidia-smi shows no GPU, or does not answer in time: a measurement is not lost for it. */
export async function currentGpu(): Promise<CurrentGpu | null> {
  const query = await queryGpus('nvidia-smi', AbortSignal.timeout(10_000)).catch(() => null);
  const gpu = query?.ok === true ? query.gpus[0] : undefined;
  return gpu === undefined
    ? null
    : { name: gpu.name, driver: gpu.driver, usedMib: gpu.memoryTotalMib - gpu.memoryFreeMib };
}
