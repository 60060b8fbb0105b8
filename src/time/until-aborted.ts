/**
 * As the work, but rejects with the signal's reason as soon as that aborts; the work goes on then. The listener goes with the answer:
 * racing against one promise that lives as long as the signal would keep all that every work held reachable until its end.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  // What was asked for may have aborted it at once, before anybody listened.
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
