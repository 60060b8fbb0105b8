import type { Logger } from '../telemetry/logger.ts';
import type { Frame } from '../video/frame.ts';
import type { Footage } from '../video/footage.ts';
import type { VideoInfo } from '../video/video-info.ts';
import { actionInterval } from './action-plan.ts';
import { createFrameAnalyst, type Findings, type FrameAnalyst } from './frame-analyst.ts';
import { createTurns, flowFrames, type Turn } from './frame-flow.ts';
import type { KeyFrame } from './key-frames.ts';
import type { ChainDescription, FrameHandle, ModelChain, StageTiming } from '../chain/model-chain.ts';
import { perStage } from '../chain/per-stage.ts';
import type { ChainStage } from '../failure/stage.ts';
import { missingStretches } from './missing-footage.ts';
import { finishingAt, progressAt, promisedBy, type AnalysisProgress } from './progress.ts';
import { readPersons } from './person-readings.ts';
import { createSceneWriter, type SceneDescriber, type SceneResult, type SceneWriter } from './scene-writer.ts';
import { stillPicturesOf, type AnalysisSettings } from './settings.ts';
import { shareFrame } from './shared-frame.ts';
import { createStillGate, type StillGate } from './still-gate.ts';
import { ANALYSIS_FORMAT_VERSION, type VideoAnalysis } from './video-analysis.ts';

export type { AnalysisProgress } from './progress.ts';

interface AnalysisInput {
  readonly videoId: string;
  readonly info: VideoInfo;
  /** Sampled frames in order; closed early when the analysis ends early. */
  readonly frames: AsyncIterable<Frame>;
  /** Asked once, when the frames have ended. */
  readonly footage: () => Footage;
  /** A private folder; highlight images go to `highlights/`, pictures for a report to `key-frames/`. */
  readonly workspaceDir: string;
}

interface AnalysisDeps {
  readonly chain: ModelChain;
  /** Only used with `scene: 'bedrock'`. */
  readonly describer: SceneDescriber | null;
  readonly logger?: Logger | undefined;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
  /** Called once, at the end, with the pictures kept for a report. */
  readonly onKeyFrames?: (frames: readonly KeyFrame[]) => void;
}

interface FrameRun {
  readonly deps: AnalysisDeps;
  readonly analyst: FrameAnalyst;
  readonly scenes: SceneWriter;
  readonly stills: StillGate;
  readonly tracking: () => Turn;
  readonly actions: () => Turn;
  readonly results: () => Turn;
  readonly onDone: (t: number) => void;
}

/**
 * Runs the model chain over a video's sampled frames. A few frames are in flight at once, so that decoding, detection
 * and the per-person models overlap; tracking and results go in frame order. Every frame handle is given back in every
 * outcome. Rejects with `signal.reason` when aborted, with the decoder's or the chain's `Failure` when one of them
 * fails. A video without people is an analysis without tracks.
 */
export async function analyzeVideo(
  input: AnalysisInput,
  deps: AnalysisDeps,
  settings: AnalysisSettings,
  onProgress: (progress: AnalysisProgress) => void,
  signal: AbortSignal,
): Promise<VideoAnalysis> {
  signal.throwIfAborted();
  const clock = deps.clock ?? ((): number => performance.now());
  const started = clock();
  const promised = promisedBy(input.info, settings.framesPerSecond);
  const before = await deps.chain.timings();
  // The scene texts of a video that has failed otherwise are given up too.
  const ended = new AbortController();
  const joined = AbortSignal.any([signal, ended.signal]);
  const scenes = createSceneWriter(deps, settings, joined);
  const stills = createStillGate(deps.chain, settings);
  const analyst = createFrameAnalyst(input, deps.chain, settings);
  let done = 0;
  const run: FrameRun = {
    deps,
    analyst,
    scenes,
    stills,
    tracking: createTurns(),
    actions: createTurns(),
    results: createTurns(),
    onDone: (seconds) => {
      done += 1;
      onProgress(progressAt({ frames: done, seconds, elapsedMs: clock() - started }, promised));
    },
  };
  try {
    const decodeMs = await flowFrames(input.frames, settings.framesInFlight, signal, (frame, flightSignal) =>
      analyseFrame(run, frame, flightSignal),
    );
    onProgress(finishingAt(done, clock() - started));
    const sceneResult = await scenes.finish();
    const footage = input.footage();
    const found = await analyst.finish(footage, signal);
    deps.onKeyFrames?.(found.keyFrames);
    const after = await deps.chain.timings();
    const timings = {
      totalMs: Math.round(clock() - started),
      decodeMs: Math.round(decodeMs),
      stages: timingsBetween(before, after),
    };
    return toAnalysis(input, deps, settings, { done, footage, sceneResult, found, timings });
  } catch (error) {
    ended.abort(error);
    // Waiting scene texts hold frames: they end, and give them back, before the caller hears of the failure.
    await scenes.finish().catch(() => undefined);
    throw error;
  } finally {
    stills.close();
  }
}

interface AnalysisResults {
  readonly done: number;
  readonly footage: Footage;
  readonly sceneResult: SceneResult;
  readonly found: Findings;
  readonly timings: VideoAnalysis['timings'];
}

function toAnalysis(
  { info }: AnalysisInput,
  { chain }: AnalysisDeps,
  settings: AnalysisSettings,
  { done, footage, sceneResult, found, timings }: AnalysisResults,
): VideoAnalysis {
  return {
    version: ANALYSIS_FORMAT_VERSION,
    video: videoFacts(info, footage),
    pack: packFacts(chain.description),
    sampling: {
      framesPerSecond: settings.framesPerSecond,
      frames: done,
      attributes: settings.attributes,
      decode: footage.decode,
      stillPictures: stillPicturesOf(settings),
      actionEvery: actionInterval(settings),
    },
    frames: found.frames,
    tracks: found.tracks,
    events: found.events,
    scenes: sceneResult.scenes,
    degraded: [...missingStretches(footage.missing), ...sceneResult.failures],
    work: found.work,
    ...(sceneResult.cost === null ? {} : { sceneCost: sceneResult.cost }),
    timings,
  };
}

async function analyseFrame(run: FrameRun, frame: Frame, signal: AbortSignal): Promise<void> {
  const { chain } = run.deps;
  const { sample, index, t } = frame;
  // Before the turns: a chain that refuses the frame must not leave turns that nobody ends.
  const shared = shareFrame(chain, takenOver(chain, frame));
  const tracking = run.tracking();
  const actions = run.actions();
  const results = run.results();
  try {
    const seen = await run.stills.look(shared, t, signal);
    await tracking.wait();
    signal.throwIfAborted();
    const { handle } = shared;
    const plan = run.analyst.plan(t, { handle, ...seen });
    tracking.done();
    const choose = run.analyst.chooseActions({ t, plan, turn: actions }, signal);
    const readings = await readPersons({ chain, handle, plan }, choose, signal);
    await results.wait();
    signal.throwIfAborted();
    await run.analyst.take({ index, t, plan, readings, handle: shared.handle }, signal);
    await run.scenes.offer(sample, { index, t }, shared);
    run.onDone(t);
  } finally {
    tracking.done();
    actions.done();
    results.done();
    shared.release();
  }
}

function takenOver(chain: ModelChain, frame: Frame): FrameHandle {
  try {
    return chain.addFrame(frame);
  } catch (error) {
    frame.release();
    throw error;
  }
}

/** As the file says, but for the length: that is what came of it. */
function videoFacts(info: VideoInfo, { durationSeconds }: Footage): VideoAnalysis['video'] {
  const { width, height, frameRate, codec, container, sizeBytes } = info;
  return { width, height, frameRate, durationSeconds, codec, container, sizeBytes };
}

function packFacts({ packName, packFingerprint, device }: ChainDescription): VideoAnalysis['pack'] {
  return { name: packName, fingerprint: packFingerprint, device };
}

type Timings = Readonly<Record<ChainStage, StageTiming>>;

/** The chain counts over its whole life; with several videos at once their shares cannot be told apart. */
function timingsBetween(before: Timings, after: Timings): Timings {
  return perStage((stage) => ({
    runs: after[stage].runs - before[stage].runs,
    items: after[stage].items - before[stage].items,
    runMs: Math.round(after[stage].runMs - before[stage].runMs),
    totalMs: Math.round(after[stage].totalMs - before[stage].totalMs),
  }));
}
