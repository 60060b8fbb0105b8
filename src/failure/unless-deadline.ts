import { Interruption } from './failure.ts';

/**
 * A job's signal without its deadline, for writing down how the job ended: that it ran out of its time, before or just now, says
 * nothing about the record.
 */
export function unlessDeadline(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const pass = (): void => {
    const reason: unknown = signal.reason;
    if (!(reason instanceof Interruption && reason.kind === 'deadline')) controller.abort(reason);
  };
  if (signal.aborted) pass();
  else signal.addEventListener('abort', pass, { once: true });
  return controller.signal;
}
