import type { ActionReason } from './action-plan.ts';
import type { AgeGender, ActionReading, FrameHandle, ModelChain, Orientation } from '../chain/model-chain.ts';
import type { Box } from '../vision/box.ts';
import { roundTo } from './box-geometry.ts';
import type { FramePlan, PlannedPerson } from './person-plan.ts';
import type { ObservedDetection } from './video-analysis.ts';

/** A model that reads persons one by one, as the analysis asks it. */
interface PersonModel<Reading> {
  readonly looksAt: (frame: AskedFrame) => readonly PlannedPerson[] | Promise<readonly PlannedPerson[]>;
  /** One reading per person; null where there was no crop. */
  readonly ask: (frame: AskedFrame, persons: readonly PlannedPerson[]) => Promise<readonly (Reading | null)[]>;
}

interface AskedFrame {
  readonly chain: ModelChain;
  readonly handle: FrameHandle;
  readonly plan: FramePlan;
  /** Whose action is to be read; asked once a frame. */
  readonly choose: () => Promise<readonly PlannedPerson[]>;
  readonly signal: AbortSignal;
}

const orientation: PersonModel<Orientation> = {
  looksAt: ({ plan }) => plan.persons.filter(({ isStill }) => !isStill),
  ask: ({ chain, handle, signal }, persons) => chain.orientation(handle, boxesOf(persons), signal),
};

const action: PersonModel<ActionReading> = {
  looksAt: ({ choose }) => choose(),
  ask: ({ chain, handle, signal }, persons) => chain.action(handle, boxesOf(persons), signal),
};

const ageGender: PersonModel<AgeGender> = {
  looksAt: ({ plan }) => plan.persons.filter(({ attributes }) => attributes !== null),
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
  /** Why the action was read; null where it was not. */
  readonly actionReason: ActionReason | null;
}

/** The orientations of a plan's persons, in order. */
export type Orientations = readonly (Orientation | null)[];

/** Whose action is to be read, and why; who decides that by the orientations waits for them. */
export type ChooseActions = (
  orientations: () => Promise<Orientations>,
) => Promise<ReadonlyMap<PlannedPerson, ActionReason>>;

export interface AskedPersons {
  readonly chain: ModelChain;
  readonly handle: FrameHandle;
  readonly plan: FramePlan;
}

/** Asks the per-person models about a plan's persons, all at once but for what has to wait; one reading per person, in order. */
export async function readPersons(
  asked: AskedPersons,
  chooseActions: ChooseActions,
  signal: AbortSignal,
): Promise<readonly PersonReading[]> {
  const { persons } = asked.plan;
  let reasons: ReadonlyMap<PlannedPerson, ActionReason> = new Map();
  const choose = async (): Promise<readonly PlannedPerson[]> => {
    reasons = await chooseActions(async () => {
      const answers = await poses;
      return persons.map((person) => answers.get(person) ?? null);
    });
    return persons.filter((person) => reasons.has(person));
  };
  const frame = { ...asked, choose, signal };
  const poses = askModel(orientation, frame);
  const calls = Object.entries<PersonModel<unknown>>(PERSON_MODELS).map(([name, model]) => ({
    name,
    answers: model === orientation ? poses : askModel(model, frame),
  }));
  // All settle before an error is told: the frame may not be released under a running call.
  await Promise.allSettled(calls.map(({ answers }) => answers));
  const named = await Promise.all(calls.map(async ({ name, answers }) => ({ name, answers: await answers })));
  return persons.map((person) => {
    const readings = named.map(({ name, answers }) => [name, answers.get(person) ?? null]);
    const actionReason = reasons.get(person) ?? null;
    return { person, actionReason, ...(Object.fromEntries(readings) as PersonReadings) };
  });
}

/** Reads the action of those persons of a frame who were not read in it and whose last reading only another one settles. */
export async function settleActions(
  asked: AskedPersons,
  readings: readonly PersonReading[],
  signal: AbortSignal,
): Promise<readonly PersonReading[]> {
  const unsure = readings.flatMap(({ action: read, person }) =>
    read === null && person.history?.spans.isUnsure() === true ? [person] : [],
  );
  const answers = await askModel(action, { ...asked, choose: async () => unsure, signal });
  return readings.map((reading) => {
    const read = answers.get(reading.person);
    return read === undefined ? reading : { ...reading, action: read, actionReason: 'unsure' };
  });
}

type Answers<Reading> = ReadonlyMap<PlannedPerson, Reading | null>;

async function askModel<Reading>(model: PersonModel<Reading>, frame: AskedFrame): Promise<Answers<Reading>> {
  const persons = await model.looksAt(frame);
  if (persons.length === 0) return new Map();
  const answers = await model.ask(frame, persons);
  return new Map(persons.map((person, index) => [person, answers[index] ?? null]));
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
