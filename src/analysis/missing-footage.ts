import type { MissingFootage } from '../video/footage.ts';
import { roundTo } from './box-geometry.ts';
import { clockText } from './clock-text.ts';
import type { StageFailure } from './video-analysis.ts';

/** The code of a stretch of the video that no frame came of. No failure of a job: the rest of the video was analysed. */
export const FOOTAGE_MISSING = 'FOOTAGE_MISSING';

/** A recording over a bad line has holes by the hundred: more are told as one. */
export const MAX_MISSING_STRETCHES = 50;

/** What an analysis says of the footage that it goes without, in order of time. */
export function missingStretches(missing: readonly MissingFootage[]): readonly StageFailure[] {
  const isTooMany = missing.length > MAX_MISSING_STRETCHES;
  const told = isTooMany ? missing.slice(0, MAX_MISSING_STRETCHES - 1) : missing;
  const rest = missing.slice(told.length);
  const single = told.map(({ fromSeconds, toSeconds, why }) =>
    toFailure(fromSeconds, toSeconds, `no frame came ${spanText(fromSeconds, toSeconds)}: ${why}`),
  );
  const [first] = rest;
  if (first === undefined) return single;
  const toSeconds = rest.at(-1)?.toSeconds ?? null;
  const why = `${rest.length} further stretches without a frame ${spanText(first.fromSeconds, toSeconds)}; the first: ${first.why}`;
  return [...single, toFailure(first.fromSeconds, toSeconds, why)];
}

function toFailure(fromSeconds: number, toSeconds: number | null, message: string): StageFailure {
  return {
    stage: 'decode',
    code: FOOTAGE_MISSING,
    message,
    fromSeconds: roundTo(fromSeconds, 3),
    toSeconds: toSeconds === null ? null : roundTo(toSeconds, 3),
  };
}

function spanText(fromSeconds: number, toSeconds: number | null): string {
  if (toSeconds === null) return `from ${clockText(fromSeconds)} on`;
  return `from ${clockText(fromSeconds)} to ${clockText(toSeconds)} (${(toSeconds - fromSeconds).toFixed(1)} s)`;
}
