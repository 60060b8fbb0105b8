import type { Box } from '../../vision/box.ts';
import type { Motion } from './motion.ts';
import { similarity } from './similarity.ts';
import { assignMaximum } from './assign.ts';

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

/**
 * The assignment of predicted persons to boxes with the greatest total fit; pairs below `minSimilarity` stay apart.
 * The detector's score weighs in, so that of two boxes on one person the surer one continues the person.
 */
export function matchMotions(
  motions: readonly Motion[],
  candidates: readonly Candidate[],
  minSimilarity: number,
): Match[] {
  if (motions.length === 0 || candidates.length === 0) return [];
  const fits = motions.map((motion) =>
    candidates.map(({ box, score }) => {
      const fit = similarity(motion, box);
      return fit < minSimilarity ? 0 : fit * (0.4 + 0.6 * score);
    }),
  );
  return assignMaximum(fits).flatMap(([motion, candidate]) =>
    (fits[motion]?.[candidate] ?? 0) > 0 ? [{ motion, candidate }] : [],
  );
}
