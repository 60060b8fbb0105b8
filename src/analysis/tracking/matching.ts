import type { Box } from '../../vision/box.ts';
import { assignMaximum } from './assign.ts';
import type { Motion } from './motion.ts';
import { similarity } from './similarity.ts';

export interface Candidate {
  readonly box: Box;
  readonly score: number;
}

export interface Match {
  /** Index into the motions. */
  readonly motion: number;
  /** Index into the candidates. */
  readonly candidate: number;
}

export interface MatchRule {
  /** The least fit of a pair. The lower, the more readily everybody shifts by one when somebody is missing. */
  readonly minFit: number;
  readonly allowed?: (motion: Motion, box: Box) => boolean;
}

/**
 * The most likely assignment of predicted persons to boxes: greatest product of fits, where no match counts as
 * `minFit`. The detector's score weighs in, so that of two boxes on one person the surer one continues the person.
 */
export function matchMotions(motions: readonly Motion[], candidates: readonly Candidate[], rule: MatchRule): Match[] {
  if (motions.length === 0 || candidates.length === 0) return [];
  const gains = motions.map((motion) =>
    candidates.map(({ box, score }) => {
      const fit = rule.allowed?.(motion, box) === false ? 0 : similarity(motion, box) * score ** 2;
      return fit > rule.minFit ? Math.log(fit / rule.minFit) : 0;
    }),
  );
  return assignMaximum(gains).flatMap(([motion, candidate]) =>
    (gains[motion]?.[candidate] ?? 0) > 0 ? [{ motion, candidate }] : [],
  );
}
