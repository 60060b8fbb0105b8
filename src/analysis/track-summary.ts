import { ageGroupOf } from './age-group.ts';
import type { PersonAttributes } from './attributes.ts';
import { roundTo } from './box-geometry.ts';
import { mainActionOf, type PersonHistory } from './person-history.ts';
import type { TrackSummary } from './video-analysis.ts';

/** The stored summary of one person under the id that the analysis reports. */
export function toTrackSummary(id: number, history: PersonHistory, attributes: PersonAttributes): TrackSummary {
  const { age, gender, genderScore } = attributes;
  return {
    id,
    startSeconds: roundTo(history.startSeconds, 3),
    endSeconds: roundTo(history.endSeconds, 3),
    observations: history.observations,
    age,
    ageGroup: age === null ? null : ageGroupOf(age),
    gender,
    genderScore,
    mainAction: mainActionOf(history),
  };
}
