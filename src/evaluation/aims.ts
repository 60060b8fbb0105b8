import type { Evaluation } from './evaluate.ts';

/** One figure that an analysis should reach; `found` is null where nothing could be compared. */
export interface Aim {
  readonly name: string;
  readonly aim: string;
  readonly found: number | null;
  readonly met: boolean;
}

const MIN_SHARE_OF_PERSONS = 0.98;
const MAX_AGE_ERROR = 2;
const MAX_DEGREES = 10;
const MIN_ACTIONS = 0.95;

/**
 * The aims of a pack on footage that it can read: persons found and not invented, nobody mixed up who stayed in view,
 * every age within 2 years, every orientation within 10 degrees, the action right in 95 % of the readings. A figure
 * that could not be computed misses its aim: an evaluation of nothing proves nothing.
 */
export function evaluationAims(evaluation: Evaluation): readonly Aim[] {
  const { detection, identity, age, orientation, action } = evaluation;
  return [
    atLeast('recall of visible persons', detection.recall, MIN_SHARE_OF_PERSONS),
    atLeast('precision of persons', detection.precision, MIN_SHARE_OF_PERSONS),
    atMost('identity switches in view', identity.tracks === 0 ? null : identity.switchesInView, 0),
    atMost('largest age error, years', age.maxError, MAX_AGE_ERROR),
    atMost('largest orientation error, degrees', orientation.maxError, MAX_DEGREES),
    atLeast('action right, share of readings', action.accuracy, MIN_ACTIONS),
  ];
}

function atLeast(name: string, found: number | null, least: number): Aim {
  return { name, aim: `at least ${least}`, found, met: found !== null && found >= least };
}

function atMost(name: string, found: number | null, most: number): Aim {
  return { name, aim: `at most ${most}`, found, met: found !== null && found <= most };
}
