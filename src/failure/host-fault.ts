import { causesOf } from './causes.ts';
import { toFailure } from './classify.ts';
import type { FailureCode } from './codes.ts';
import { Failure } from './failure.ts';
import { errnoOf } from './sources/errno.ts';
import { signOfNodeError } from './sources/node.ts';

/** What a host lacks or does wrong, whatever it was given to read. `CUDA_ERROR` is not among them: a graph may be at fault. */
const OF_HOST: ReadonlySet<FailureCode> = new Set([
  'HOST_OUT_OF_MEMORY',
  'CUDA_OUT_OF_MEMORY',
  'GPU_LOST',
  'DISK_FULL',
  'HOST_FAULT',
  'INSTALL_BROKEN',
]);

/** What a path may be answered with on a host that is in order: these tell of where a file was put, and what is allowed with it. */
const OF_PLACE: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'EEXIST',
  'ENAMETOOLONG',
]);

/**
 * The host's fault in an error or behind it, which another time or on another host would not be; null where what was read may be at
 * fault. Who is about to blame a file asks this first.
 */
export function hostFaultOf(error: unknown): Failure | null {
  for (const link of causesOf(error)) {
    if (OF_PLACE.has(errnoOf(link))) return null;
    const code = link instanceof Failure ? link.code : signOfNodeError(link)?.code;
    if (code !== undefined && OF_HOST.has(code)) return toFailure(link);
  }
  return null;
}

/** Throws the host's fault, where an error is one. */
export function rethrowHostFault(error: unknown): void {
  const fault = hostFaultOf(error);
  if (fault !== null) throw fault;
}
