import type { Box } from '../../vision/box.ts';
import { assignMaximum } from './assign.ts';
import { insideShare } from '../box-geometry.ts';
import { motionBox, type Motion } from './motion.ts';
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

// Even a person who seems fully covered may be seen: a bent arm, a wrong guess about who is in front.
const MAX_HIDING = 0.9;

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
  const expected = motions.map(motionBox);
  const gains = motions.map((motion, index) =>
    candidates.map(({ box, score }) => {
      const prior = score ** 2 * (1 - MAX_HIDING * hiddenShare(expected, index));
      const fit = rule.allowed?.(motion, box) === false ? 0 : similarity(motion, box) * prior;
      return fit > rule.minFit ? Math.log(fit / rule.minFit) : 0;
    }),
  );
  return assignMaximum(gains).flatMap(([motion, candidate]) =>
    (gains[motion]?.[candidate] ?? 0) > 0 ? [{ motion, candidate }] : [],
  );
}

/** The share of a person's box behind others: on a floor, whoever's feet are lower in the picture is in front. */
function hiddenShare(boxes: readonly Box[], index: number): number {
  const box = boxes[index];
  if (box === undefined) return 0;
  return boxes.reduce((most, other) => (other.y2 > box.y2 ? Math.max(most, insideShare(box, other)) : most), 0);
}
