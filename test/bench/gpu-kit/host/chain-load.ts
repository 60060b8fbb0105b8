/** Frames of noise with five people, sent through the project's model chain as fast as it takes them, and what that says of it. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { syntheticScene } from '../../gpu/synthetic-scene.ts';
import type { Detection, FaceBodyPair, ModelChain, StageTiming } from '../../../../src/chain/model-chain.ts';
import type { ChainStage } from '../../../../src/failure/stage.ts';
import type { Box } from '../../../../src/vision/box.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { rounded } from '../../figures.ts';
import { type GpuUse, watchGpu } from './gpu-watch.ts';
import { createFramePool, type FramePool } from '../../../../src/video/frames/frame-pool.ts';

/** What is asked of a frame, by the name that a report gives it. */
export const CHAIN_WORK = {
  track: 'detection, orientation',
  frame: 'detection, orientation, age and gender',
  all: 'everything with the language model',
} as const;
export type ChainWork = keyof typeof CHAIN_WORK;

export interface ChainLoad {
  readonly work: ChainWork;
  /** Frames under way at once. */
  readonly inFlight: number;
  readonly seconds: number;
  /** Of 1920x1080, or of a third of that each way. */
  readonly size: FrameSize;
  readonly watchGpu: boolean;
}

export type FrameSize = '1080p' | 'small';

export interface ChainFigures {
  readonly framesPerSecond: number;
  readonly frames: number;
  readonly wallSeconds: number;
  readonly cpuCores: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
  readonly gpu: GpuUse | null;
  /** Boxes that the detector itself finds: how much its suppression has to do. */
  readonly boxesPerFrame: number;
  readonly stages: Readonly<Record<string, StageFigures>>;
}

interface StageFigures {
  readonly runs: number;
  readonly perRun: number;
  /** Shares of the time that passed, inside ONNX Runtime and in the whole stage. */
  readonly runShare: number;
  readonly totalShare: number;
  readonly msPerItem: number;
}

type Timings = Readonly<Record<ChainStage, StageTiming>>;

const PEOPLE = 5;
const SMALLER = 3;

/** Keeps `inFlight` frames under way for the load's seconds. */
export async function measureChain(chain: ModelChain, load: ChainLoad): Promise<ChainFigures> {
  const scene = sceneOf(load.size);
  const before = await chain.timings();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.cpuUsage();
  const gpuUse = load.watchGpu ? watchGpu() : () => null;
  delay.enable();
  const started = performance.now();
  let [frames, found] = [0, 0];
  const lane = async (): Promise<void> => {
    while (performance.now() - started < load.seconds * 1000) {
      // Read after the wait: other lanes add theirs meanwhile.
      const boxes = await analyseFrame(chain, scene, load.work, frames);
      found += boxes;
      frames += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: load.inFlight }, lane));
  } catch (error) {
    gpuUse();
    throw error;
  }
  const wallMs = performance.now() - started;
  const used = process.cpuUsage(cpu);
  delay.disable();
  return {
    framesPerSecond: rounded((frames * 1000) / wallMs),
    frames,
    wallSeconds: rounded(wallMs / 1000),
    cpuCores: rounded((used.user + used.system) / 1000 / wallMs),
    loopP99Ms: rounded(delay.percentile(99) / 1e6),
    loopMaxMs: rounded(delay.max / 1e6),
    gpu: gpuUse(),
    boxesPerFrame: rounded(found / (frames || 1)),
    stages: stageFigures(before, await chain.timings(), wallMs),
  };
}

interface Scene {
  readonly frame: Picture;
  readonly pool: FramePool;
  /** Slots that show the frame already: the decoder's work is no part of the load. */
  readonly shown: WeakSet<SharedArrayBuffer>;
  readonly detections: readonly Detection[];
  readonly boxes: readonly Box[];
  readonly pairs: readonly FaceBodyPair[];
}

function sceneOf(size: FrameSize): Scene {
  const scene = syntheticScene();
  const by = size === 'small' ? SMALLER : 1;
  const [width, height] = [scene.frame.width / by, scene.frame.height / by];
  const frame = { width, height, pixels: scene.frame.pixels.subarray(0, width * height * 3) };
  // The scene has a person and a face in turn.
  const detections = scene.detections.slice(0, PEOPLE * 2).map(({ box: { x1, y1, x2, y2 }, ...rest }): Detection => ({
    ...rest,
    box: { x1: x1 / by, y1: y1 / by, x2: x2 / by, y2: y2 / by },
  }));
  const boxes = detections.filter(({ class: kind }) => kind === 'person').map(({ box }) => box);
  const pairs = boxes.map((_, i) => ({ person: 2 * i, face: 2 * i + 1 }));
  return { frame, pool: createFramePool(), shown: new WeakSet(), detections, boxes, pairs };
}

/** One frame as the worker sends it, but with given boxes instead of those that the detector finds; gives their number. */
async function analyseFrame(chain: ModelChain, scene: Scene, work: ChainWork, index: number): Promise<number> {
  const { frame, pool, shown, detections, boxes, pairs } = scene;
  const { signal } = new AbortController();
  const { pixels, release } = pool.take(frame.pixels.length);
  if (!shown.has(pixels.buffer)) pixels.set(frame.pixels);
  shown.add(pixels.buffer);
  const { width, height } = frame;
  const handle = chain.addFrame({ sample: index, index, t: index, width, height, pixels, release });
  const found = await chain.detection(handle, signal);
  await Promise.all([
    chain.orientation(handle, boxes, signal),
    work === 'track' ? null : chain.ageGender(handle, detections, pairs, signal),
    work === 'all' ? chain.action(handle, boxes, signal) : null,
  ]);
  chain.releaseFrame(handle);
  return found.length;
}

function stageFigures(before: Timings, after: Timings, wallMs: number): Readonly<Record<string, StageFigures>> {
  return Object.fromEntries(
    (Object.keys(after) as ChainStage[]).map((stage) => {
      const [from, to] = [before[stage], after[stage]];
      const [runs, items] = [to.runs - from.runs, to.items - from.items];
      const [runMs, totalMs] = [to.runMs - from.runMs, to.totalMs - from.totalMs];
      const figures: StageFigures = {
        runs,
        perRun: rounded(items / (runs || 1)),
        runShare: rounded(runMs / wallMs),
        totalShare: rounded(totalMs / wallMs),
        msPerItem: rounded(totalMs / (items || 1)),
      };
      return [stage, figures];
    }),
  );
}
