import { detectionScore, type DetectionScore } from './detection-score.ts';
import { expectedSpans, scoreEvents, type EventScore } from './event-score.ts';
import { followIdentities, type Sighting } from './identities.ts';
import { matchFrame, type FrameMatch } from './match-frame.ts';
import {
  actionScore,
  ageScore,
  genderScore,
  orientationScore,
  type ActionScore,
  type AgeScore,
  type GenderScore,
  type OrientationScore,
} from './reading-score.ts';
import { rounded } from './share.ts';
import type { Truth } from './truth.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';

/** How an analysis compares with the truth. Shares are 0..1 with four decimals; null where nothing could be compared. */
export interface Evaluation {
  readonly frames: number;
  readonly detection: DetectionScore;
  readonly identity: {
    readonly persons: number;
    readonly tracks: number;
    readonly switches: number;
    /** Switches of persons who were never hidden in between: those that tracking could have avoided. */
    readonly switchesInView: number;
  };
  readonly age: AgeScore;
  readonly gender: GenderScore;
  readonly orientation: OrientationScore;
  readonly action: ActionScore;
  readonly events: EventScore;
}

interface EvaluateOptions {
  /** Labels that are no events. */
  readonly ignoredActions: readonly string[];
  /** Readings that make an event: shorter actions than as many samples are not asked for. */
  readonly minReadings: number;
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
  const pairs = matches.flatMap(({ index, found }) => found.map((pair) => ({ index, ...pair })));
  const visible = pairs.filter(({ known }) => known.isVisible);
  const sightings = pairs.flatMap(({ index, known, detection }): Sighting[] =>
    detection.track === null ? [] : [{ person: known.person.id, frameIndex: index, track: detection.track }],
  );
  const identities = followIdentities(truth, sightings);
  const personOf = new Map([...identities.trackOf].map(([person, track]) => [track, person]));
  const shortest = options.minReadings / analysis.sampling.framesPerSecond;
  const spans = expectedSpans(truth, options.ignoredActions, shortest);
  const score = scoreEvents(spans, analysis.events, personOf);
  const tracked = truth.persons.flatMap((known) => {
    const track = analysis.tracks.find(({ id }) => id === identities.trackOf.get(known.id));
    return track === undefined ? [] : [{ known, track }];
  });
  return {
    frames: matches.length,
    detection: detectionScore(matches),
    identity: {
      persons: truth.persons.length,
      tracks: analysis.tracks.length,
      switches: identities.switches,
      switchesInView: identities.switchesInView,
    },
    age: ageScore(tracked.map(({ known, track }) => ({ known: known.age, read: track.age }))),
    gender: genderScore(tracked.map(({ known, track }) => ({ known: known.gender, read: track.gender }))),
    orientation: orientationScore(
      visible.map(({ known, detection }) => ({ known: known.person.orientation, read: detection.orientation })),
    ),
    action: actionScore(
      visible.map(({ known, detection }) => ({ known: known.person.action, read: detection.action })),
    ),
    events: { ...score, f1: rounded(score.f1) },
  };
}
