import type { AgeGender, ActionReading, FrameHandle, ModelChain, Orientation } from '../chain/model-chain.ts';
import type { Box } from '../vision/box.ts';
import { roundTo } from './box-geometry.ts';
import type { FramePlan, PlannedPerson } from './person-plan.ts';
import type { ObservedDetection } from './video-analysis.ts';

/** A model that reads persons one by one, as the analysis asks it. */
interface PersonModel<Reading> {
  readonly looksAt: (person: PlannedPerson) => boolean;
  /** One reading per person; null where there was no crop. */
  readonly ask: (frame: AskedFrame, persons: readonly PlannedPerson[]) => Promise<readonly (Reading | null)[]>;
}

interface AskedFrame {
  readonly chain: ModelChain;
  readonly handle: FrameHandle;
  readonly plan: FramePlan;
  readonly signal: AbortSignal;
}

const orientation: PersonModel<Orientation> = {
  looksAt: () => true,
  ask: ({ chain, handle, signal }, persons) => chain.orientation(handle, boxesOf(persons), signal),
};

const action: PersonModel<ActionReading> = {
  looksAt: ({ readAction }) => readAction,
  ask: ({ chain, handle, signal }, persons) => chain.action(handle, boxesOf(persons), signal),
};

const ageGender: PersonModel<AgeGender> = {
  looksAt: ({ attributes }) => attributes !== null,
  ask: ({ chain, handle, plan, signal }, persons) =>
    chain.ageGender(
      handle,
      plan.distinct,
      persons.flatMap(({ attributes }) => attributes?.pair ?? []),
      signal,
    ),
};

/** A further model is an entry here, and what an observation shows of it is below. */
const PERSON_MODELS = { orientation, action, ageGender };

/** The answers of the per-person models for one person of a frame; null where the model was not asked or had no crop. */
export type PersonReadings = {
  readonly [Model in keyof typeof PERSON_MODELS]: (typeof PERSON_MODELS)[Model] extends PersonModel<infer Reading>
    ? Reading | null
    : never;
};

export interface PersonReading extends PersonReadings {
  readonly person: PlannedPerson;
}

/** Asks the per-person models at once about everybody in the plan; one reading per planned person, in order. */
export async function readPersons(
  chain: ModelChain,
  handle: FrameHandle,
  plan: FramePlan,
  signal: AbortSignal,
): Promise<readonly PersonReading[]> {
  const frame = { chain, handle, plan, signal };
  const asked = Object.entries(PERSON_MODELS).map(([name, model]) => {
    const persons = plan.persons.filter(model.looksAt);
    const answer: Promise<readonly unknown[]> = persons.length === 0 ? Promise.resolve([]) : model.ask(frame, persons);
    return { name, persons, answer };
  });
  // All settle before an error is told: the frame may not be released under a running call.
  await Promise.allSettled(asked.map(({ answer }) => answer));
  const answers = await Promise.all(asked.map(({ answer }) => answer));
  return plan.persons.map((person) => {
    const readings = asked.map(({ name, persons }, i) => [name, answers[i]?.[persons.indexOf(person)] ?? null]);
    return { person, ...(Object.fromEntries(readings) as PersonReadings) };
  });
}

/** What an observation shows of them, beside age and gender, which the frames of a track may share. */
type ObservedReadings = Pick<ObservedDetection, 'orientation' | 'action' | 'actionScore'>;

export function observedReadings(readings: PersonReadings | null): ObservedReadings {
  const score = readings?.action?.score;
  return {
    orientation: readings?.orientation?.degrees ?? null,
    action: readings?.action?.label ?? null,
    actionScore: score === undefined ? null : roundTo(score, 4),
  };
}

const OBSERVED = Object.keys(observedReadings(null)) as readonly (keyof ObservedReadings)[];

/** These fields alone, of an observation or of its row, whose columns have the same names. */
export function observedReadingsIn(holder: ObservedReadings): ObservedReadings {
  return Object.fromEntries(OBSERVED.map((field) => [field, holder[field]])) as unknown as ObservedReadings;
}

function boxesOf(persons: readonly PlannedPerson[]): readonly Box[] {
  return persons.map(({ box }) => box);
}
