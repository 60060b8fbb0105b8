import type { ActionReading, AgeGender, FrameHandle, ModelChain, Orientation } from '../chain/model-chain.ts';
import type { FramePlan, PlannedPerson } from './person-plan.ts';

/** The answers of the per-person models for one person of a frame; null where the model was not asked or had no crop. */
export interface PersonReading {
  readonly person: PlannedPerson;
  readonly orientation: Orientation | null;
  readonly action: ActionReading | null;
  readonly ageGender: AgeGender | null;
}

/** Asks the per-person models at once about everybody in the plan; one reading per planned person, in order. */
export async function readHeads(
  chain: ModelChain,
  handle: FrameHandle,
  plan: FramePlan,
  signal: AbortSignal,
): Promise<readonly PersonReading[]> {
  const { persons } = plan;
  if (persons.length === 0) return [];
  const acting = persons.filter(({ readAction }) => readAction);
  const aging = persons.filter(({ attributes }) => attributes !== null);
  const [orientations, actions, ages] = await allOrFirstError(
    chain.orientation(
      handle,
      persons.map(({ box }) => box),
      signal,
    ),
    acting.length === 0
      ? Promise.resolve([])
      : chain.action(
          handle,
          acting.map(({ box }) => box),
          signal,
        ),
    aging.length === 0
      ? Promise.resolve([])
      : chain.ageGender(
          handle,
          plan.distinct,
          aging.flatMap(({ attributes }) => attributes?.pair ?? []),
          signal,
        ),
  );
  return persons.map((person, index) => ({
    person,
    orientation: orientations[index] ?? null,
    action: actions[acting.indexOf(person)] ?? null,
    ageGender: ages[aging.indexOf(person)] ?? null,
  }));
}

/** Like `Promise.all`, but settles only when all have: the frame may not be released under a running call. */
async function allOrFirstError<A, B, C>(a: Promise<A>, b: Promise<B>, c: Promise<C>): Promise<[A, B, C]> {
  await Promise.allSettled([a, b, c]);
  return Promise.all([a, b, c]);
}
