/** What the worker is doing as a whole; `Worker` says what is true in each. */
export const WORKER_STATES = ['starting', 'polling', 'paused', 'draining', 'stopped'] as const;

export type WorkerState = (typeof WORKER_STATES)[number];

/** Which state may follow which. The diagrams in the class comment of `Worker` and in docs/architecture.md are held to it. */
export const NEXT_STATES: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: ['polling', 'draining'],
  polling: ['paused', 'draining'],
  paused: ['polling', 'draining'],
  draining: ['stopped'],
  stopped: [],
};
