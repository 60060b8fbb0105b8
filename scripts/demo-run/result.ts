import type { Evaluation } from '../../src/evaluation/evaluate.ts';
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
