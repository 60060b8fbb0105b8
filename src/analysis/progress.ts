import type { VideoInfo } from '../video/video-info.ts';
import { samplesPerSecond } from './settings.ts';

type AnalysisStage = 'frames' | 'finishing';

export interface AnalysisProgress {
  readonly stage: AnalysisStage;
  readonly framesDone: number;
  /** An estimate from the length that the file promises; grows where more comes, and shrinks where the footage has silences. */
  readonly framesExpected: number;
  /** 0..99, never less than before; a video is at 100 when its rows are committed. */
  readonly percent: number;
  /** Sampled frames per second of wall time since the start. */
  readonly framesPerSecond: number;
  /** Null until the first frame is done, and where more has come than the file promises: then nothing says how much is left. */
  readonly etaSeconds: number | null;
}

/** What the header of a video lets expect. */
export interface Promised {
  /** Sampled frames; at least 1. */
  readonly frames: number;
  readonly seconds: number;
}

/** How far the analysis has come. */
export interface Reached {
  readonly frames: number;
  /** The time of the last frame that is done; on the clock of the video. */
  readonly seconds: number;
  /** Of wall time. */
  readonly elapsedMs: number;
}

/** What a video should give, as its file has it. */
export function promisedBy({ frameRate, durationSeconds }: VideoInfo, framesPerSecond: number): Promised {
  const frames = Math.max(1, Math.ceil(durationSeconds * samplesPerSecond(framesPerSecond, frameRate)));
  return { frames, seconds: durationSeconds };
}

/** The progress over the frames of a video, by their number or, where that says more, by their time: footage may have silences. */
export function progressAt({ frames: framesDone, seconds, elapsedMs }: Reached, promised: Promised): AnalysisProgress {
  const byNumber = framesDone / promised.frames;
  const byTime = promised.seconds > 0 ? Math.min(1, seconds / promised.seconds) : 0;
  const share = Math.max(byNumber, byTime);
  const isUnforeseen = byNumber > 1 || (promised.seconds > 0 && seconds > promised.seconds);
  const perSecond = rate(framesDone, elapsedMs);
  return {
    stage: 'frames',
    framesDone,
    framesExpected: Math.max(framesDone, byTime > byNumber ? Math.ceil(framesDone / byTime) : promised.frames),
    percent: Math.min(99, Math.floor(share * 99)),
    framesPerSecond: perSecond,
    etaSeconds: perSecond > 0 && !isUnforeseen ? (elapsedMs / 1000) * (1 / share - 1) : null,
  };
}

/** The progress when all frames are done and the findings are put together. */
export function finishingAt(framesDone: number, elapsedMs: number): AnalysisProgress {
  return {
    stage: 'finishing',
    framesDone,
    framesExpected: Math.max(framesDone, 1),
    percent: 99,
    framesPerSecond: rate(framesDone, elapsedMs),
    etaSeconds: 0,
  };
}

function rate(frames: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (frames * 1000) / elapsedMs : 0;
}
