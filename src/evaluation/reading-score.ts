import { angleBetween } from '../analysis/zones.ts';
import { largest, mean, share } from './share.ts';

export interface AgeScore {
  readonly persons: number;
  readonly meanError: number | null;
  readonly maxError: number | null;
}

export interface GenderScore {
  readonly persons: number;
  readonly accuracy: number | null;
}

export interface OrientationScore {
  readonly observations: number;
  readonly meanError: number | null;
  readonly maxError: number | null;
  readonly within15: number | null;
  readonly within30: number | null;
}

export interface ActionScore {
  readonly observations: number;
  readonly accuracy: number | null;
}

/** What is known of a person beside what was read, which is null where nothing was. */
interface Compared<Value> {
  readonly known: Value;
  readonly read: Value | null;
}

/** Years between the ages. */
export function ageScore(ages: readonly Compared<number>[]): AgeScore {
  const errors = ages.flatMap(({ known, read }) => (read === null ? [] : [Math.abs(read - known)]));
  return { persons: errors.length, meanError: mean(errors), maxError: largest(errors) };
}

/** How often the gender is right. */
export function genderScore(genders: readonly Compared<string>[]): GenderScore {
  const { count, accuracy } = rightOf(genders);
  return { persons: count, accuracy };
}

/** Degrees between the orientations. */
export function orientationScore(orientations: readonly Compared<number>[]): OrientationScore {
  const errors = orientations.flatMap(({ known, read }) => (read === null ? [] : [angleBetween(read, known)]));
  const within = (degrees: number): number | null => share(errors.filter((e) => e <= degrees).length, errors.length);
  return {
    observations: errors.length,
    meanError: mean(errors),
    maxError: largest(errors),
    within15: within(15),
    within30: within(30),
  };
}

/** How often the action is right. */
export function actionScore(actions: readonly Compared<string>[]): ActionScore {
  const { count, accuracy } = rightOf(actions);
  return { observations: count, accuracy };
}

function rightOf(values: readonly Compared<string>[]): { readonly count: number; readonly accuracy: number | null } {
  const read = values.filter((value) => value.read !== null);
  const right = read.filter((value) => value.read === value.known);
  return { count: read.length, accuracy: share(right.length, read.length) };
}
