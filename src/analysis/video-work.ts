import type { ActionReason } from './action-plan.ts';
import type { PersonReading } from './person-readings.ts';

/**
 * Why a model did not read: the last reading still held, the picture had not changed, or others of the person's crops promise more,
 * as any do where there is nothing to read of this one.
 */
type LeftOut = 'interval' | 'stillPicture' | 'notBestCrop';

interface StageWork {
  /** Frames (detection) or persons that the model was asked about. */
  readonly read: number;
  /** Those it was not asked about, by why. */
  readonly leftOut: Readonly<Partial<Record<LeftOut, number>>>;
}

/** What the models read of one video and what they were spared. */
export interface VideoWork {
  readonly detection: StageWork;
  readonly ageGender: StageWork;
  readonly orientation: StageWork;
  readonly action: StageWork & {
    /** The readings by what asked for them. */
    readonly because: Readonly<Record<ActionReason, number>>;
  };
}

export interface WorkCount {
  /** One sampled frame. `isStill`: the detector was not asked about it. */
  add(readings: readonly PersonReading[], isStill: boolean): void;
  total(): VideoWork;
}

export function createWorkCount(): WorkCount {
  const detection = { read: 0, leftOut: { stillPicture: 0 } };
  const ageGender = { read: 0, leftOut: { notBestCrop: 0, stillPicture: 0 } };
  const orientation = { read: 0, leftOut: { stillPicture: 0 } };
  const action = {
    read: 0,
    leftOut: { interval: 0, stillPicture: 0 },
    because: { first: 0, interval: 0, box: 0, motion: 0, pose: 0, unsure: 0 },
  };

  function addPerson({ person }: PersonReading): void {
    orientation.read += 1;
    if (person.attributes === null) ageGender.leftOut.notBestCrop += 1;
    else ageGender.read += 1;
  }

  /** Also of a picture that has not changed an unsure action is read once more. */
  function addAction({ actionReason, person }: PersonReading): void {
    if (actionReason === null) action.leftOut[person.isStill ? 'stillPicture' : 'interval'] += 1;
    else {
      action.read += 1;
      action.because[actionReason] += 1;
    }
  }

  return {
    add(readings, isStill) {
      if (isStill) detection.leftOut.stillPicture += 1;
      else detection.read += 1;
      for (const reading of readings) {
        addAction(reading);
        if (reading.person.isStill) for (const { leftOut } of [ageGender, orientation]) leftOut.stillPicture += 1;
        else addPerson(reading);
      }
    },
    total: () => structuredClone({ detection, ageGender, orientation, action }),
  };
}
