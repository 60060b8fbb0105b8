import { Failure } from '../../failure/failure.ts';

/**
 * Makes one SQS call with a limit of its own. Over the limit it rejects with TIMEOUT, aborted by the caller's signal with that
 * signal's reason, otherwise with the SDK's error: the SDK reports every abort alike, and only here is it known whose it was.
 * `doing` completes "SQS: could not ...".
 */
export async function within<T>(
  timeoutMs: number,
  doing: string,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await send({ abortSignal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new Failure('TIMEOUT', `SQS: could not ${doing} within ${timeoutMs} ms`, { cause: error });
  }
}
