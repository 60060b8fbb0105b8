import type { ActionReason } from './action-plan.ts';
import type { Turn } from './frame-flow.ts';
import type { FramePlan, PlannedPerson } from './person-plan.ts';
import type { ChooseActions, Orientations } from './person-readings.ts';

export interface ChosenFrame {
  readonly t: number;
  readonly plan: FramePlan;
  /** In frame order: whom a frame chooses depends on the frames before it. Over as soon as it is known. */
  readonly turn: Turn;
}

/** Decides who of a frame is asked for an action. `byPose`: waits for the frame's orientations, and so may see that somebody has turned. */
export function chooseActions({ t, plan, turn }: ChosenFrame, byPose: boolean, signal: AbortSignal): ChooseActions {
  return async (orientations) => {
    const poses: Orientations = byPose ? await orientations() : [];
    await turn.wait();
    signal.throwIfAborted();
    const reasons = new Map<PlannedPerson, ActionReason>();
    for (const [index, person] of plan.persons.entries()) {
      if (person.isStill) {
        person.history?.actions.hold(t);
        continue;
      }
      const sighting = { t, box: person.box, orientation: poses[index] ?? null };
      // Nobody follows a person without a track: there is nothing that could hold.
      const reason = person.history === null ? 'first' : person.history.actions.decide(sighting);
      if (reason !== null) reasons.set(person, reason);
    }
    turn.done();
    return reasons;
  };
}
