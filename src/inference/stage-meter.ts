/** What a stage has spent; changed only by the thread that runs it. */
export interface StageMeter {
  /** Calls of `session.run`. */
  runs: number;
  items: number;
  /** Milliseconds inside `session.run`. */
  runMs: number;
  /** Milliseconds of whole batches, preparation included. */
  totalMs: number;
}

/** A meter at zero. */
export function stageMeter(): StageMeter {
  return { runs: 0, items: 0, runMs: 0, totalMs: 0 };
}
