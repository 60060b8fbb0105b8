import { roundTo } from '../analysis/box-geometry.ts';
import { averagePrecision, type RankedDetection } from './average-precision.ts';
import { expectedSpans, scoreEvents, type EventScore } from './event-score.ts';
import { followIdentities, type Sighting } from './identities.ts';
import { matchFrame, VISIBLE_SHARE, type FrameMatch } from './match-frame.ts';
import type { Truth, TruthPerson } from './truth.ts';
import type { ObservedDetection, VideoAnalysis } from '../analysis/video-analysis.ts';
import { angleBetween } from '../analysis/zones.ts';

/** How an analysis compares with the truth. Shares are 0..1 with four decimals; null where nothing could be compared. */
export interface Evaluation {
  readonly frames: number;
  readonly detection: {
    readonly expected: number;
    readonly found: number;
    readonly missed: number;
    readonly spurious: number;
    readonly precision: number | null;
    readonly recall: number | null;
    readonly ap50: number | null;
  };
  readonly identity: {
    readonly persons: number;
    readonly tracks: number;
    readonly switches: number;
    /** Switches of persons who were never hidden in between: those that tracking could have avoided. */
    readonly switchesInView: number;
  };
  readonly age: { readonly persons: number; readonly meanError: number | null; readonly maxError: number | null };
  readonly gender: { readonly persons: number; readonly accuracy: number | null };
  readonly orientation: {
    readonly observations: number;
    readonly meanError: number | null;
    readonly maxError: number | null;
    readonly within15: number | null;
    readonly within30: number | null;
  };
  readonly action: { readonly observations: number; readonly accuracy: number | null };
  readonly events: EventScore;
}

export interface EvaluateOptions {
  /** Labels that are no events. */
  readonly ignoredActions: readonly string[];
  /** Readings that make an event: shorter actions than as many samples are not asked for. */
  readonly minReadings: number;
}

interface Pair {
  readonly person: TruthPerson;
  readonly detection: ObservedDetection;
}

/** Compares an analysis with the truth about the same video, frame by frame (by the number in the file). */
export function evaluate(
  analysis: VideoAnalysis,
  truth: Truth,
  options: EvaluateOptions = { ignoredActions: ['none'], minReadings: 2 },
): Evaluation {
  const truthAt = new Map(truth.frames.map((frame) => [frame.index, frame]));
  const matches: (FrameMatch & { readonly index: number })[] = [];
  for (const { index, detections } of analysis.frames) {
    const frame = truthAt.get(index);
    if (frame !== undefined) matches.push({ index, ...matchFrame(frame, detections, analysis.video) });
  }
  const pairs = matches.flatMap(({ found }) => found);
  const visible = pairs.filter(({ person }) => person.visible >= VISIBLE_SHARE);
  const sightings = matches.flatMap(({ index, found }) =>
    found.flatMap(({ person, detection }): Sighting[] =>
      detection.track === null ? [] : [{ person: person.id, frameIndex: index, track: detection.track }],
    ),
  );
  const identities = followIdentities(truth, sightings);
  const personOf = new Map([...identities.trackOf].map(([person, track]) => [track, person]));
  const shortest = options.minReadings / analysis.sampling.framesPerSecond;
  const spans = expectedSpans(truth, options.ignoredActions, shortest);
  const score = scoreEvents(spans, analysis.events, personOf);
  return {
    frames: matches.length,
    detection: detectionScore(matches, visible),
    identity: {
      persons: truth.persons.length,
      tracks: analysis.tracks.length,
      switches: identities.switches,
      switchesInView: identities.switchesInView,
    },
    ...attributeScores(analysis, truth, identities.trackOf),
    orientation: orientationScore(visible),
    action: actionScore(visible),
    events: { ...score, f1: rounded(score.f1) },
  };
}

function detectionScore(matches: readonly FrameMatch[], visible: readonly Pair[]): Evaluation['detection'] {
  const missed = matches.reduce((sum, match) => sum + match.missed.length, 0);
  const wrong = matches.flatMap(({ spurious }) => spurious);
  // A second box on a person is the detector's, but no claim that somebody is there: it has no track.
  const spurious = wrong.filter(({ track }) => track !== null);
  const expected = visible.length + missed;
  const ranked: RankedDetection[] = [
    ...visible.map(({ detection }) => ({ score: detection.score, correct: true })),
    ...wrong.map(({ score }) => ({ score, correct: false })),
  ];
  return {
    expected,
    found: visible.length,
    missed,
    spurious: spurious.length,
    precision: share(visible.length, visible.length + spurious.length),
    recall: share(visible.length, expected),
    ap50: rounded(averagePrecision(ranked, expected)),
  };
}

function attributeScores(
  analysis: VideoAnalysis,
  truth: Truth,
  trackOf: ReadonlyMap<string, number>,
): Pick<Evaluation, 'age' | 'gender'> {
  const errors: number[] = [];
  const genders: boolean[] = [];
  for (const person of truth.persons) {
    const track = analysis.tracks.find(({ id }) => id === trackOf.get(person.id));
    if (track === undefined) continue;
    if (track.age !== null) errors.push(Math.abs(track.age - person.age));
    if (track.gender !== null) genders.push(track.gender === person.gender);
  }
  return {
    age: {
      persons: errors.length,
      meanError: mean(errors),
      maxError: largest(errors),
    },
    gender: { persons: genders.length, accuracy: share(genders.filter(Boolean).length, genders.length) },
  };
}

function orientationScore(visible: readonly Pair[]): Evaluation['orientation'] {
  const errors = visible.flatMap(({ person, detection }) =>
    detection.orientation === null ? [] : [angleBetween(detection.orientation, person.orientation)],
  );
  const within = (degrees: number): number | null => share(errors.filter((e) => e <= degrees).length, errors.length);
  return {
    observations: errors.length,
    meanError: mean(errors),
    maxError: largest(errors),
    within15: within(15),
    within30: within(30),
  };
}

function actionScore(visible: readonly Pair[]): Evaluation['action'] {
  const read = visible.filter(({ detection }) => detection.action !== null);
  const right = read.filter(({ person, detection }) => person.action === detection.action);
  return { observations: read.length, accuracy: share(right.length, read.length) };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : roundTo(part / whole, 4);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : rounded(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function largest(values: readonly number[]): number | null {
  return values.length === 0
    ? null
    : roundTo(
        values.reduce((most, value) => Math.max(most, value)),
        4,
      );
}

function rounded(value: number | null): number | null {
  return value === null ? null : roundTo(value, 4);
}
