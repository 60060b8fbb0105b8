import type { Evaluation } from '../evaluation/evaluate.ts';
import type { Aim } from '../evaluation/aims.ts';

/** A comparison with the truth in lines for a terminal. */
export function evaluationLines(evaluation: Evaluation): string[] {
  const { detection, identity, age, gender, orientation, action, events } = evaluation;
  return [
    `frames       ${evaluation.frames} compared`,
    `persons      ${detection.found} of ${detection.expected} found, ${detection.spurious} invented (recall ${percent(detection.recall)}, precision ${percent(detection.precision)}, AP50 ${percent(detection.ap50)})`,
    `identities   ${identity.persons} persons, ${identity.tracks} tracks, ${identity.switches} switches, ${identity.switchesInView} of them in view`,
    `age          mean error ${decimal(age.meanError, 2)} years, largest ${decimal(age.maxError, 2)} (${age.persons} persons)`,
    `gender       ${percent(gender.accuracy)} right (${gender.persons} persons)`,
    `orientation  mean error ${decimal(orientation.meanError, 1)} degrees, largest ${decimal(orientation.maxError, 1)}, within 15 degrees ${percent(orientation.within15)}, within 30 degrees ${percent(orientation.within30)}`,
    `action       ${percent(action.accuracy)} right (${action.observations} readings)`,
    `events       ${events.matched} of ${events.expected} found, ${events.found} reported, F1 ${percent(events.f1)}`,
  ];
}

/** One line per aim, with what was found. */
export function aimLines(aims: readonly Aim[]): string[] {
  return aims.map(
    ({ name, aim, found, met }) =>
      `${met ? 'met   ' : 'MISSED'} ${name}: ${aim}, found ${found ?? 'nothing to compare'}`,
  );
}

function percent(share: number | null): string {
  return share === null ? 'not comparable' : `${(share * 100).toFixed(1)} %`;
}

function decimal(value: number | null, digits: number): string {
  return value === null ? '-' : value.toFixed(digits);
}
