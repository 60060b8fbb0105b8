import type { Frame } from '../video/frame.ts';

/** A place in a queue: work that must happen in frame order waits for its turn, and says when it is over. */
export interface Turn {
  wait(): Promise<void>;
  /** Lets the next one go on; harmless when called twice. */
  done(): void;
}

/** Hands out turns in call order. */
export function createTurns(): () => Turn {
  let last: Promise<void> = Promise.resolve();
  return () => {
    const before = last;
    const { promise, resolve } = Promise.withResolvers<void>();
    last = promise;
    return { wait: () => before, done: resolve };
  };
}

/**
 * Runs `run` for every frame, at most `limit` at a time, and resolves to the milliseconds spent waiting for frames.
 * The first failure, or the abort of `signal`, aborts the signal given to `run`; the promise rejects with that reason
 * after every started run has settled, so that whatever a run holds is given back by then.
 */
export async function flowFrames(
  frames: AsyncIterable<Frame>,
  limit: number,
  signal: AbortSignal,
  run: (frame: Frame, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const failed = new AbortController();
  const joined = AbortSignal.any([signal, failed.signal]);
  const flights = new Set<Promise<void>>();
  const iterator = frames[Symbol.asyncIterator]();
  let waitedMs = 0;
  let pending = false;
  let exhausted = false;
  try {
    while (!exhausted) {
      joined.throwIfAborted();
      const asked = performance.now();
      pending = true;
      const next = await untilAborted(iterator.next(), joined);
      pending = false;
      waitedMs += performance.now() - asked;
      if (next.done === true) {
        exhausted = true;
        continue;
      }
      const flight = run(next.value, joined)
        .catch((error: unknown) => {
          failed.abort(error);
        })
        .finally(() => flights.delete(flight));
      flights.add(flight);
      if (flights.size >= limit) await untilAborted(Promise.race(flights), joined);
    }
    await untilAborted(Promise.all(flights), joined);
    joined.throwIfAborted();
    return waitedMs;
  } catch (error) {
    failed.abort(error);
    throw error;
  } finally {
    if (!exhausted) await closeIterator(iterator, pending);
    await Promise.all(flights);
  }
}

/**
 * Rejects with the signal's reason as soon as it aborts. The listener goes with the promise: racing against one
 * long-lived promise would keep every frame reachable until the end of the video.
 */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function closeIterator(iterator: AsyncIterator<Frame>, pending: boolean): Promise<void> {
  // A generator that is waiting for its source answers `return` only after that wait: it is told, not waited for.
  const closed = Promise.resolve(iterator.return?.()).then(
    () => undefined,
    () => undefined,
  );
  if (!pending) await closed;
}
