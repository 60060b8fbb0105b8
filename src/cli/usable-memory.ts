import { totalmem } from 'node:os';

/** Bytes of the machine, or of the cgroup where that has a limit. */
export function usableMemory(): number {
  // Without a limit the number of the cgroup is larger than any machine, or 0.
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}
