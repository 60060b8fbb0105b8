import type { WorkerEventBus, WorkerEvents } from '../../src/worker/events.ts';

/** Resolves with the first such event that fits. */
export function next<K extends keyof WorkerEvents>(
  events: WorkerEventBus,
  name: K,
  fits: (event: WorkerEvents[K]) => boolean = () => true,
): Promise<WorkerEvents[K]> {
  return new Promise((resolve) => {
    const off = events.on(name, (event) => {
      if (!fits(event)) return;
      off();
      resolve(event);
    });
  });
}

/** Settles with the reason when the signal fires. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

/** Resolves when this many of such events that fit have been told. */
export function told<K extends keyof WorkerEvents>(
  events: WorkerEventBus,
  name: K,
  times: number,
  fits: (event: WorkerEvents[K]) => boolean = () => true,
): Promise<WorkerEvents[K]> {
  let count = 0;
  return next(events, name, (event) => fits(event) && (count += 1) === times);
}
