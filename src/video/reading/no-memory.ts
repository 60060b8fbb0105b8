import { Failure } from '../../failure/failure.ts';
import { adviceForErrno } from '../../failure/sources/errno.ts';

/** What it means that the pool has no memory for a further frame of so many bytes. */
export function noMemoryForFrames(frameBytes: number, cause: unknown): Failure {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    'HOST_OUT_OF_MEMORY',
    `there is no memory for a frame of ${frameBytes} bytes: ${said}${adviceForErrno('ENOMEM')}`,
    { cause },
  );
}
