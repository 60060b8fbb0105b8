import type { Box } from '../vision/box.ts';
import { cropQuality, type ReadingSlot } from './attributes.ts';
import { pairFaces } from './face-pairs.ts';
import type { Detection, FaceBodyPair, FrameHandle, ModelChain } from '../chain/model-chain.ts';
import type { PersonHistory, PersonHistories } from './person-history.ts';
import type { AnalysisSettings } from './settings.ts';
import type { Tracker } from './tracking/tracker.ts';

/** One person of one frame, and which models are to look at it. */
export interface PlannedPerson {
  /** Index into the frame's detections. */
  readonly detection: number;
  readonly box: Box;
  readonly score: number;
  readonly face: Box | null;
  /** Null for a person without a track, which only per-frame attributes look at. */
  readonly history: PersonHistory | null;
  readonly attributes: { readonly pair: FaceBodyPair; readonly slot: ReadingSlot | null } | null;
  /** What was read of them holds: neither has the picture changed, nor whom their box is taken for. */
  readonly isStill: boolean;
}

export interface FramePlan {
  readonly detections: readonly Detection[];
  /** Detections without second boxes on one person: those would black out the very person in the body crop. */
  readonly distinct: readonly Detection[];
  readonly persons: readonly PlannedPerson[];
  /** Track id per detection, faces included. */
  readonly tracks: readonly (number | null)[];
  /** The picture has not changed since one that was analysed. */
  readonly isStill: boolean;
}

export interface SeenFrame {
  readonly handle: FrameHandle;
  readonly detections: readonly Detection[];
  readonly isStill: boolean;
}

interface PlanContext {
  readonly chain: Pick<ModelChain, 'isReadable'>;
  readonly tracker: Tracker;
  readonly histories: PersonHistories;
  readonly settings: AnalysisSettings;
  readonly picture: { readonly width: number; readonly height: number };
}

/** Gives the detections of a frame their persons and decides what is read. Frames must come in order. */
export function createFramePlanner(context: PlanContext): (t: number, seen: SeenFrame) => FramePlan {
  let before: FramePlan | null = null;
  return (t, seen) => {
    before = planFrame(context, t, seen, before);
    return before;
  };
}

function planFrame(
  context: PlanContext,
  t: number,
  { handle, detections, isStill }: SeenFrame,
  before: FramePlan | null,
): FramePlan {
  const bodies = detections.flatMap((detection, index) => (detection.class === 'person' ? [{ detection, index }] : []));
  const assignments = context.tracker.update(
    t,
    bodies.map(({ detection }) => detection),
  );
  const duplicates = new Set(bodies.flatMap(({ index }, i) => (assignments[i]?.kind === 'duplicate' ? [index] : [])));
  const original = detections.flatMap((_, index) => (duplicates.has(index) ? [] : [index]));
  const distinct = original.flatMap((index) => detections[index] ?? []);
  const pairs = pairFaces(distinct);
  const tracks: (number | null)[] = detections.map(() => null);

  const persons = bodies.flatMap(({ detection, index }, i): PlannedPerson[] => {
    const assignment = assignments[i];
    const pair = pairs.find(({ person }) => person !== null && original[person] === index);
    if (assignment === undefined || pair === undefined || duplicates.has(index)) return [];
    if (assignment.kind === 'unassigned' && context.settings.attributes !== 'per-frame') return [];
    const history = assignment.kind === 'person' ? context.histories.see(assignment.track, t) : null;
    if (history !== null) tracks[index] = history.track;
    const face = pair.face === null ? undefined : original[pair.face];
    if (history !== null && face !== undefined) tracks[face] = history.track;
    // The tracker goes by motion: also where every box stands still, one may pass to somebody of whom nothing has been read.
    const wasThere = history !== null && before !== null && before.tracks.includes(history.track);
    const sighting = { handle, detection, index, pair, history, distinct, isStill: isStill && wasThere };
    return [planPerson(context, sighting)];
  });
  return { detections, distinct, persons, tracks, isStill };
}

interface Sighting {
  readonly handle: FrameHandle;
  readonly detection: Detection;
  readonly index: number;
  readonly pair: FaceBodyPair;
  readonly history: PersonHistory | null;
  readonly distinct: readonly Detection[];
  readonly isStill: boolean;
}

function planPerson({ chain, settings, picture }: PlanContext, sighting: Sighting): PlannedPerson {
  const { handle, detection, index, pair, history, distinct, isStill } = sighting;
  const perFrame = settings.attributes === 'per-frame';
  const others = distinct.filter((other) => other.class === 'person' && other !== detection).map(({ box }) => box);
  const quality = cropQuality(detection.box, detection.score, others, picture);
  const isReadable = (): boolean => chain.isReadable(handle, distinct, pair);
  const slot = history === null || perFrame || isStill ? null : history.collector.reserve({ quality, isReadable });
  return {
    detection: index,
    box: detection.box,
    score: detection.score,
    face: pair.face === null ? null : (distinct[pair.face]?.box ?? null),
    history,
    attributes: perFrame || slot !== null ? { pair, slot } : null,
    isStill,
  };
}
