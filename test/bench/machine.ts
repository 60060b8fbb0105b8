import { availableParallelism, cpus } from 'node:os';

/** Where figures come from; they mean little without it. */
export function thisMachine(): { readonly cpu: string; readonly cores: number; readonly node: string } {
  return { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version };
}
