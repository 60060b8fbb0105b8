import { ageGroupOf } from './age-group.ts';
import type { PersonAttributes } from './attributes.ts';
import { roundTo, toBoxTuple } from './box-geometry.ts';
import { findOverlaps, type TrackedBox } from './overlaps.ts';
import type { FramePlan } from './person-plan.ts';
import { observedReadings, type PersonReadings } from './person-readings.ts';
import type { AnalysisSettings } from './settings.ts';
import type { AnalysedFrame, ObservedDetection } from './video-analysis.ts';

/** What one frame gave; ids and aggregated attributes are put in when the video is over. */
export interface FrameDraft {
  readonly index: number;
  readonly t: number;
  readonly plan: FramePlan;
  /** By index of the detection. */
  readonly persons: ReadonlyMap<number, PersonDraft>;
}

/** What is known of one person of a frame; an action that was not read is the last one that was. */
export interface PersonDraft extends PersonReadings {
  readonly zone: string | null;
}

/** The reported id of each internal track, and its attributes. Tracks that are not persons are absent. */
export type Reported = ReadonlyMap<number, { readonly id: number; readonly attributes: PersonAttributes }>;

/** The frame as it is stored: boxes in hundredths of a pixel, scores with four decimals. */
export function toAnalysedFrame(draft: FrameDraft, reported: Reported, settings: AnalysisSettings): AnalysedFrame {
  const detections = draft.plan.detections.map((detection, index): ObservedDetection => {
    const track = draft.plan.tracks[index] ?? null;
    const person = track === null ? undefined : reported.get(track);
    const planned = draft.plan.persons.find((candidate) => candidate.detection === index);
    const shared = detection.class === 'person' ? person?.attributes : undefined;
    return {
      track: person?.id ?? null,
      class: detection.class,
      box: toBoxTuple(detection.box),
      score: roundTo(detection.score, 4),
      face: planned?.face ? toBoxTuple(planned.face) : null,
      ...seenOf(draft.persons.get(index), settings.attributes === 'per-frame' ? undefined : (shared ?? NOTHING)),
    };
  });
  const persons = draft.plan.persons.flatMap(({ history, box }): TrackedBox[] => {
    const person = history === null ? undefined : reported.get(history.track);
    return person === undefined ? [] : [{ track: person.id, box }];
  });
  return {
    index: draft.index,
    t: roundTo(draft.t, 3),
    detections,
    overlaps: findOverlaps(persons, settings.minOverlap),
  };
}

type Seen = Omit<ObservedDetection, 'track' | 'class' | 'box' | 'score' | 'face'>;

/** The models' answers about one person of one frame; `shared` replaces the frame's own age and gender. */
function seenOf(person: PersonDraft | undefined, shared: PersonAttributes | undefined): Seen {
  const { age, gender, genderScore } = shared ?? person?.ageGender ?? NOTHING;
  return {
    age,
    ageGroup: age === null ? null : ageGroupOf(age),
    gender,
    genderScore: genderScore === null ? null : roundTo(genderScore, 4),
    ...observedReadings(person ?? null),
    zone: person?.zone ?? null,
  };
}

const NOTHING: PersonAttributes = { age: null, gender: null, genderScore: null };
