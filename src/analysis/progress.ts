import type { VideoInfo } from '../video/video-info.ts';

type AnalysisStage = 'frames' | 'finishing';

export interface AnalysisProgress {
  readonly stage: AnalysisStage;
  readonly framesDone: number;
  /** An estimate from the length that the file promises; grows where more comes. */
  readonly framesExpected: number;
  /** 0..99, never less than before; a video is at 100 when its rows are committed. */
  readonly percent: number;
  /** Sampled frames per second of wall time since the start. */
  readonly framesPerSecond: number;
  /** Null until the first frame is done, and where more has come than the file promises: then nothing says how much is left. */
  readonly etaSeconds: number | null;
}

/** Sampled frames that a video should give; at least 1. */
export function expectedFrames(info: VideoInfo, framesPerSecond: number): number {
  const perSecond = info.frameRate > 0 ? Math.min(framesPerSecond, info.frameRate) : framesPerSecond;
  return Math.max(1, Math.ceil(info.durationSeconds * perSecond));
}

/** The progress after `framesDone` frames and `elapsedMs` of wall time. */
export function progressAt(
  stage: AnalysisStage,
  framesDone: number,
  framesPromised: number,
  elapsedMs: number,
): AnalysisProgress {
  const framesPerSecond = elapsedMs > 0 ? (framesDone * 1000) / elapsedMs : 0;
  const framesExpected = Math.max(framesPromised, framesDone);
  const isUnforeseen = framesDone > framesPromised;
  return {
    stage,
    framesDone,
    framesExpected,
    percent: stage === 'finishing' ? 99 : Math.min(99, Math.floor((framesDone / framesExpected) * 99)),
    framesPerSecond,
    etaSeconds: framesPerSecond > 0 && !isUnforeseen ? (framesExpected - framesDone) / framesPerSecond : null,
  };
}
