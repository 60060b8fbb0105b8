import type { Evaluation } from '../../src/analysis/evaluate.ts';
import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';

export interface DemoResult {
  readonly ok: boolean;
  readonly video: { readonly source: string; readonly durationSeconds: number; readonly frames: number };
  readonly persons: VideoAnalysis['tracks'];
  readonly events: VideoAnalysis['events'];
  readonly scenes: VideoAnalysis['scenes'];
  readonly truth: Evaluation | null;
  readonly seconds: number;
}

const MIN_RECALL = 0.95;
const MIN_PRECISION = 0.95;

/** The demo is fine when the analysis is there and, where the truth is known, agrees with it. */
export function demoResult(
  source: string,
  analysis: VideoAnalysis,
  truth: Evaluation | null,
  seconds: number,
): DemoResult {
  const { recall, precision } = truth?.detection ?? { recall: 1, precision: 1 };
  return {
    ok: (recall ?? 0) >= MIN_RECALL && (precision ?? 0) >= MIN_PRECISION,
    video: { source, durationSeconds: analysis.video.durationSeconds, frames: analysis.sampling.frames },
    persons: analysis.tracks,
    events: analysis.events,
    scenes: analysis.scenes,
    truth,
    seconds: Math.round(seconds * 10) / 10,
  };
}

export function compareLines(truth: Evaluation): string[] {
  const percent = (share: number | null): string =>
    share === null ? 'not comparable' : `${(share * 100).toFixed(1)} %`;
  const { detection, identity, age, gender, orientation, action, events } = truth;
  return [
    '',
    'compared with the truth of the scene',
    `  persons      ${detection.found} of ${detection.expected} found (recall ${percent(detection.recall)}, precision ${percent(detection.precision)}, AP50 ${percent(detection.ap50)})`,
    `  identities   ${identity.persons} persons, ${identity.tracks} tracks, ${identity.switches} switches`,
    `  age          mean error ${age.meanError?.toFixed(2) ?? '-'} years, worst ${age.maxError?.toFixed(2) ?? '-'}`,
    `  gender       ${percent(gender.accuracy)}`,
    `  orientation  mean error ${orientation.meanError?.toFixed(1) ?? '-'} degrees, within 15 degrees ${percent(orientation.within15)}`,
    `  action       ${percent(action.accuracy)} of readings`,
    `  events       F1 ${percent(events.f1)}`,
  ];
}
