import { Failure } from '../../../src/failure/failure.ts';

/** What is fuzzed: a pure function of bytes that throws when something about them is not as it must be. */
export interface Target {
  /** Ends of the paths of the files whose code guides the search. */
  readonly covers: readonly string[];
  readonly maxBytes: number;
  /** Of `json` trees are changed too, not only bytes. */
  readonly form: 'json' | 'text' | 'bytes';
  /** Words of the format, which chance would take long to find. */
  readonly words: readonly string[];
  /** CPU time that an input may take; `USUAL_ALLOWANCE` where nothing is said. */
  readonly allowance?: Allowance;
  readonly check: (input: Buffer) => void;
}

/** Linear in the length of an input. */
export interface Allowance {
  readonly fixedMs: number;
  readonly msPerKib: number;
}

/** Something about an input is not as it must be. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}

export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new BrokenInvariant(what);
}

/** What `run` returns, or the `Failure` that it throws; anything else that it throws is a find. */
export function resultOf<T>(run: () => T): T | Failure {
  try {
    return run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** A file of a target exports it under this name. */
export interface TargetModule {
  readonly target: Target;
}
