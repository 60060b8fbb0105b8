import { outsideText } from '../text/outside-text.ts';
import { Failure } from '../failure/failure.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ModelChain } from '../chain/model-chain.ts';
import type { AnalysisSettings } from './settings.ts';
import type { SharedFrame } from './shared-frame.ts';
import type { SceneCost, SceneText, StageFailure } from './video-analysis.ts';

/** A remote service that describes pictures; shared by all videos. */
export interface SceneDescriber {
  readonly source: 'bedrock';
  /** A fresh budget for one video. */
  forVideo(): SceneSession;
}

export interface SceneSession {
  /** One or two sentences about a JPEG. Throws a `Failure`; an abort rejects with the signal's reason. */
  describe(jpeg: Uint8Array, signal: AbortSignal): Promise<string>;
  cost(): SceneCost;
}

export interface SceneWriter {
  /** Describes the frame if it is one of those due; resolves early, but waits while too many frames are held. */
  offer(sample: number, frame: { readonly index: number; readonly t: number }, shared: SharedFrame): Promise<void>;
  finish(): Promise<SceneResult>;
}

export interface SceneResult {
  readonly scenes: readonly SceneText[];
  readonly failures: readonly StageFailure[];
  readonly cost: SceneCost | null;
}

export interface SceneDeps {
  readonly chain: ModelChain;
  readonly describer: SceneDescriber | null;
  readonly logger?: Logger | undefined;
}

const MAX_WAITING = 2;
const GIVE_UP_AFTER = 3;

/**
 * Scene texts beside the frame flow: one at a time, each holding its frame until it is written. A text that fails is
 * recorded as a degraded stage; after three failures in a row the rest of the video goes without.
 */
export function createSceneWriter(deps: SceneDeps, settings: AnalysisSettings, signal: AbortSignal): SceneWriter {
  const session = settings.scene === 'bedrock' ? (deps.describer?.forVideo() ?? null) : null;
  const scenes: SceneText[] = [];
  const failures: StageFailure[] = [];
  let failuresInARow = 0;
  let fatal: { readonly error: unknown } | null = null;
  const waiting: Promise<void>[] = [];
  let tail: Promise<void> = Promise.resolve();

  async function textOf(shared: SharedFrame): Promise<string> {
    if (settings.scene === 'local') return deps.chain.scene(shared.handle, signal);
    if (session === null) {
      throw new Failure('SCENE_FAILED', 'scene texts by Bedrock were asked for, but no client is set up');
    }
    const jpeg = await deps.chain.jpeg(shared.handle, { maxWidth: 1280, quality: 80 }, signal);
    return session.describe(jpeg, signal);
  }

  async function write(frame: { readonly index: number; readonly t: number }, shared: SharedFrame): Promise<void> {
    try {
      if (fatal !== null || failuresInARow >= GIVE_UP_AFTER) return;
      signal.throwIfAborted();
      const text = await textOf(shared);
      failuresInARow = 0;
      const source = settings.scene === 'local' ? 'local' : 'bedrock';
      scenes.push({ t: frame.t, frameIndex: frame.index, text: text.trim(), source });
    } catch (error) {
      failuresInARow += 1;
      if (signal.aborted || mustFail(error, settings)) fatal = { error };
      else {
        const failure = stageFailure(error);
        if (failures.every(({ code, message }) => code !== failure.code || message !== failure.message)) {
          failures.push(failure);
        }
        deps.logger?.warn({ err: error, frameIndex: frame.index }, 'scene text failed');
      }
    } finally {
      shared.release();
    }
  }

  return {
    async offer(sample, frame, shared) {
      if (settings.scene === 'off' || sample % settings.sceneEverySamples !== 0) return;
      if (fatal !== null) throw fatal.error;
      shared.retain();
      const task = tail.then(() => write(frame, shared));
      tail = task;
      waiting.push(task);
      if (waiting.length > MAX_WAITING) await waiting.shift();
    },
    async finish() {
      await tail;
      if (fatal !== null) throw fatal.error;
      return { scenes, failures, cost: session?.cost() ?? null };
    },
  };
}

/** A broken GPU or a required scene fails the video; everything else costs only the text. */
function mustFail(error: unknown, settings: AnalysisSettings): boolean {
  if (settings.sceneRequired) return true;
  return settings.scene === 'local' && error instanceof Failure && error.class === 'system';
}

function stageFailure(error: unknown): StageFailure {
  if (error instanceof Failure) return { stage: 'scene', code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { stage: 'scene', code: 'SCENE_FAILED', message: outsideText(message, 500) };
}
