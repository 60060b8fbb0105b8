import { Failure } from '../failure/failure.ts';
import type { FailureOptions } from '../failure/failure.ts';

/** One way in which a pack differs from its manifest. */
export interface PackProblem {
  /** Path of the file as the manifest names it. */
  readonly file: string;
  /** What was looked at: `size`, `sha256`, `input images`, ... */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** The failure that lists problems one a line. */
export function brokenPack(pack: string, problems: readonly PackProblem[], options: FailureOptions = {}): Failure {
  const lines = problems.map((p) => `  ${describeProblem(p)}`);
  return new Failure('PACK_BROKEN', `the model pack ${pack} does not match its manifest:\n${lines.join('\n')}`, {
    ...options,
    details: { ...options.details, file: problems[0]?.file ?? '', problems: problems.length },
  });
}

/** `FILE: FIELD: expected X, found Y`. */
export function describeProblem(problem: PackProblem): string {
  return `${problem.file}: ${problem.field}: expected ${problem.expected}, found ${problem.found}`;
}
