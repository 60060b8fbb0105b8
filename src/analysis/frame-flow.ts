import { untilAborted } from '../time/until-aborted.ts';
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
 * after every started run has settled, so that whatever a run holds is given back by then. A frame belongs to its run; one that comes
 * when none is to be started any more is released.
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
  let asked: Promise<IteratorResult<Frame, unknown>> | null = null;
  let exhausted = false;
  try {
    while (!exhausted) {
      joined.throwIfAborted();
      const since = performance.now();
      asked = iterator.next();
      const next: IteratorResult<Frame, unknown> = await untilAborted(asked, joined);
      asked = null;
      waitedMs += performance.now() - since;
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
    if (!exhausted) await closeIterator(iterator, asked);
    await Promise.all(flights);
  }
}

async function closeIterator(
  iterator: AsyncIterator<Frame>,
  asked: Promise<IteratorResult<Frame, unknown>> | null,
): Promise<void> {
  // A frame that comes after all has no other user than the one that does not want it any more.
  asked?.then(
    (late) => {
      if (late.done !== true) late.value.release();
    },
    () => undefined,
  );
  // A generator that is waiting for its source answers `return` only after that wait: it is told, not waited for.
  const closed = Promise.resolve(iterator.return?.()).then(
    () => undefined,
    () => undefined,
  );
  if (asked === null) await closed;
}
