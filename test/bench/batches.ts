import { analyzeVideo } from '../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../src/analysis/settings.ts';
import { batchSizes } from '../../src/inference/batch.ts';
import { seededRandom } from '../chaos/random.ts';
import { FakeChain, scriptedFrames, scriptedVideo, type Script, type ScriptedPerson } from '../harness/fake-chain.ts';
import { wholeFootage } from '../harness/footage.ts';
import { HandClock } from '../harness/hand-clock.ts';
import { SimulatedDevice, type SimulatedStage } from '../harness/simulated-device.ts';
import { rounded } from './figures.ts';
import { deviceMs, type SimulatedGpu } from './host/device-times.ts';

/** What is chosen for a GPU. */
interface Choice {
  readonly detectionSizes: readonly number[];
  readonly peopleSizes: readonly number[];
  /** Of detection. */
  readonly leastFull: number;
  readonly isOneThread: boolean;
  /** Null: as many as the load has. */
  readonly underWay: number | null;
}

interface Load {
  readonly gpu: SimulatedGpu;
  readonly underWay: number;
  readonly attributes: 'per-frame' | 'per-track';
}

const LOADS = {
  'H100, all per frame': { gpu: 'h100', underWay: 32, attributes: 'per-frame' },
  H100: { gpu: 'h100', underWay: 32, attributes: 'per-track' },
  'H100, 12 under way': { gpu: 'h100', underWay: 12, attributes: 'per-track' },
  A10G: { gpu: 'a10g', underWay: 32, attributes: 'per-track' },
  'A10G, 12 under way': { gpu: 'a10g', underWay: 12, attributes: 'per-track' },
} as const satisfies Readonly<Record<string, Load>>;

/** The worker's. */
export const CHOSEN: Choice = {
  detectionSizes: batchSizes(8),
  peopleSizes: batchSizes(64),
  leastFull: 0.8,
  isOneThread: false,
  underWay: null,
};
const people = (...peopleSizes: number[]): Choice => ({ ...CHOSEN, peopleSizes });

const CHOICES: Readonly<Record<string, Choice>> = {
  'as chosen: detection 1, 2, 4, 8; people 1, 8, 16, 32, 64': CHOSEN,
  'detection fills up whatever waits': { ...CHOSEN, leastFull: 0 },
  'detection fills nothing up': { ...CHOSEN, leastFull: 1 },
  'people 1, 2, 4, 8': people(1, 2, 4, 8),
  'people 1, 2, 4, 8, 16': people(1, 2, 4, 8, 16),
  'people 1, 4, 8, 16, 32': people(1, 4, 8, 16, 32),
  'people 1, 2, 4, 8, 16, 32, 64': people(1, 2, 4, 8, 16, 32, 64),
  'people 1, 4, 16, 64': people(1, 4, 16, 64),
  'people 1, 16, 32, 64': people(1, 16, 32, 64),
  'people 1, 8, 64': people(1, 8, 64),
  'detection 1, 8': { ...CHOSEN, detectionSizes: [1, 8] },
  'detection up to 16': { ...CHOSEN, detectionSizes: batchSizes(16) },
  'one thread for all three': { ...CHOSEN, isOneThread: true },
  'one thread, people 1, 2, 4, 8': { ...people(1, 2, 4, 8), isOneThread: true },
  ...Object.fromEntries([4, 8, 16, 24, 48, 64].map((underWay) => [`${underWay} under way`, { ...CHOSEN, underWay }])),
};

/** The whole stage of a run on the H200 without what passed inside ONNX Runtime, by item (docs/benchmarks.md, "On a GPU"). */
const HOST_MS = { detection: 1.15, orientation: 0.12, ageGender: 0.4 };
const SAMPLES = 600;
/** Five in the mean. */
const PLACES = 10;

/**
 * Frames per second of one video on a GPU whose runs take the times of `device-times.ts`, by what is chosen for its batches: the worker's
 * own queues and analysis, on a clock moved by hand. Frames come as fast as they are taken, 0 to 10 people are in each, the action is
 * read nowhere, and the runs of all threads follow one another on the device.
 */
export async function benchBatches(): Promise<object> {
  const figures: Record<string, Record<string, Speed>> = {};
  for (const [name, choice] of Object.entries(CHOICES)) {
    const row: Record<string, Speed> = {};
    for (const [what, load] of Object.entries(LOADS)) row[what] = await simulate(choice, load);
    console.error(name, row);
    figures[name] = row;
  }
  return figures;
}

interface Speed {
  readonly framesPerSecond: number;
  /** Rows of detection for each frame: those that only fill a batch are uploaded, too. */
  readonly uploadedPerFrame: number;
}

/** The speed of one video with 0 to 10 people in a frame. */
export async function simulate(choice: Choice, { gpu, underWay, attributes }: Load): Promise<Speed> {
  const clock = new HandClock();
  const device = new SimulatedDevice(clock, stagesOf(choice, gpu));
  const chain = new FakeChain(passersBy(), { before: device.before });
  const info = scriptedVideo(SAMPLES);
  const analysis = analyzeVideo(
    { videoId: '1', info, frames: scriptedFrames(SAMPLES), footage: wholeFootage(info), workspaceDir: '/nowhere' },
    { chain, describer: null },
    { ...DEFAULT_ANALYSIS_SETTINGS, attributes, scene: 'off', framesInFlight: choice.underWay ?? underWay },
    () => undefined,
    new AbortController().signal,
  );
  await clock.until(analysis);
  const rows = device.runs.reduce((sum, run) => sum + (run.stage === 'detection' ? run.rows : 0), 0);
  return { framesPerSecond: rounded((SAMPLES * 1000) / clock.now()), uploadedPerFrame: rounded(rows / SAMPLES) };
}

function stagesOf(choice: Choice, gpu: SimulatedGpu): Readonly<Record<string, SimulatedStage>> {
  const stage = (name: keyof typeof HOST_MS, sizes: readonly number[], leastFull: number): SimulatedStage => ({
    thread: choice.isOneThread || name !== 'detection' ? 'people' : 'detection',
    batching: { limit: sizes.at(-1) ?? 1, sizes, leastFull },
    deviceMs: (rows) => deviceMs(gpu, name, rows),
    hostMs: (items) => HOST_MS[name] * items,
  });
  return {
    detection: stage('detection', choice.detectionSizes, choice.leastFull),
    orientation: stage('orientation', choice.peopleSizes, 0),
    ageGender: stage('ageGender', choice.peopleSizes, 0),
  };
}

/** Each place is taken by somebody half of the time, for a while. */
function passersBy(): Script {
  const random = seededRandom(7);
  const isHere = Array.from({ length: PLACES }, () => random() < 0.5);
  const samples = Array.from({ length: SAMPLES }, () =>
    isHere.flatMap((_, place): ScriptedPerson[] => {
      if (random() < 0.1) isHere[place] = random() < 0.5;
      const x = place * 120;
      return isHere[place] === true ? [{ box: [x, 200, x + 100, 500], orientation: 90, age: 30 }] : [];
    }),
  );
  return (sample) => samples[sample] ?? [];
}
