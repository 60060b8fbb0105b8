import { ageGroupOf } from './age-group.ts';
import type { PersonAttributes } from './attributes.ts';
import { roundTo, toBoxTuple } from './box-geometry.ts';
import { findOverlaps, type TrackedBox } from './overlaps.ts';
import type { FramePlan } from './person-plan.ts';
import { observedReadings, type PersonReadings } from './person-readings.ts';
import type { AnalysisSettings } from './settings.ts';
import type { AnalysedFrame, ObservedDetection } from './video-analysis.ts';

/**
 * What one frame gave, as small as it can be kept until the video is over; only then is it known which tracks are persons, under which
 * ids and with which age and gender.
 */
export interface FrameDraft {
  readonly index: number;
  readonly t: number;
  /** Without ids, and without age and gender where those are the track's. */
  readonly detections: readonly ObservedDetection[];
  /** Internal track of each detection. */
  readonly tracks: FramePlan['tracks'];
  /** By internal tracks. */
  readonly overlaps: AnalysedFrame['overlaps'];
}

/** What is known of one person of a frame; an action that was not read is the last one that was. */
export interface PersonDraft extends PersonReadings {
  readonly zone: string | null;
}

/** The reported id of each internal track, and its attributes. Tracks that are not persons are absent. */
export type Reported = ReadonlyMap<number, { readonly id: number; readonly attributes: PersonAttributes }>;

interface SeenFrame {
  readonly index: number;
  readonly t: number;
  readonly plan: FramePlan;
}

/** What is kept of a frame: boxes in hundredths of a pixel, scores with four decimals. `persons` are by index of the detection. */
export function draftFrame(
  { index, t, plan }: SeenFrame,
  persons: ReadonlyMap<number, PersonDraft>,
  settings: AnalysisSettings,
): FrameDraft {
  const shared = settings.attributes === 'per-frame' ? undefined : NOTHING;
  const detections = plan.detections.map((detection, place): ObservedDetection => {
    const planned = plan.persons.find((candidate) => candidate.detection === place);
    return {
      track: null,
      class: detection.class,
      box: toBoxTuple(detection.box),
      score: roundTo(detection.score, 4),
      face: planned?.face ? toBoxTuple(planned.face) : null,
      ...seenOf(persons.get(place), shared),
    };
  });
  const tracked = plan.persons.flatMap(({ history, box }): TrackedBox[] =>
    history === null ? [] : [{ track: history.track, box }],
  );
  return { index, t, detections, tracks: plan.tracks, overlaps: findOverlaps(tracked, settings.minOverlap) };
}

/** The frame as it is stored. */
export function toAnalysedFrame(draft: FrameDraft, reported: Reported, settings: AnalysisSettings): AnalysedFrame {
  const isShared = settings.attributes !== 'per-frame';
  const detections = draft.detections.map((detection, place): ObservedDetection => {
    const track = draft.tracks[place] ?? null;
    const person = track === null ? undefined : reported.get(track);
    if (person === undefined) return detection;
    const attributes = isShared && detection.class === 'person' ? shownOf(person.attributes) : {};
    return { ...detection, track: person.id, ...attributes };
  });
  const idOf = (track: number): number | null => reported.get(track)?.id ?? null;
  const overlaps = draft.overlaps.flatMap((pair) => {
    // Ids go up with the tracks: the smaller one stays first.
    const [a, b] = [idOf(pair.a), idOf(pair.b)];
    return a === null || b === null ? [] : [{ a, b, iou: pair.iou }];
  });
  return { index: draft.index, t: roundTo(draft.t, 3), detections, overlaps };
}

type Seen = Omit<ObservedDetection, 'track' | 'class' | 'box' | 'score' | 'face'>;

/** The models' answers about one person of one frame; `shared` replaces the frame's own age and gender. */
function seenOf(person: PersonDraft | undefined, shared: PersonAttributes | undefined): Seen {
  return {
    ...shownOf(shared ?? person?.ageGender ?? NOTHING),
    ...observedReadings(person ?? null),
    zone: person?.zone ?? null,
  };
}

function shownOf({ age, gender, genderScore }: PersonAttributes): ShownAttributes {
  return {
    age,
    ageGroup: age === null ? null : ageGroupOf(age),
    gender,
    genderScore: genderScore === null ? null : roundTo(genderScore, 4),
  };
}

type ShownAttributes = Pick<ObservedDetection, 'age' | 'ageGroup' | 'gender' | 'genderScore'>;

const NOTHING: PersonAttributes = { age: null, gender: null, genderScore: null };
