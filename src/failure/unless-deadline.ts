import { Failure, Interruption } from './failure.ts';

export interface BoundedSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A job's signal without its deadline, and with a limit of its own, for writing down how the job ended: that it ran out of its time,
 * before or just now, says nothing about the record. Disposing of it leaves neither timer nor listener: AbortSignal.timeout and
 * AbortSignal.any would be held until the limit.
 */
export function unlessDeadline(signal: AbortSignal, limitMs: number): BoundedSignal {
  const controller = new AbortController();
  const pass = (): void => {
    const reason: unknown = signal.reason;
    if (!(reason instanceof Interruption && reason.kind === 'deadline')) controller.abort(reason);
  };
  const timer = setTimeout(() => {
    controller.abort(new Failure('TIMEOUT', `it took longer than ${limitMs} ms`));
  }, limitMs);
  if (signal.aborted) pass();
  else signal.addEventListener('abort', pass, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', pass);
    },
  };
}
