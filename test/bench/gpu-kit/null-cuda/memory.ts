import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pictureArea } from '../../../../src/vision/picture-area.ts';
import { action } from '../../../../src/chain/action/action.ts';
import { openActions } from '../../../../src/chain/action/read-actions.ts';
import { openAgeGender } from '../../../../src/chain/age-gender/open-age-gender.ts';
import { openDetection } from '../../../../src/chain/detection/open-detection.ts';
import { openOrientation } from '../../../../src/chain/orientation/open-orientation.ts';
import { loadPack, type Pack } from '../../../../src/packs/load-pack.ts';
import { stageMeter } from '../../../../src/inference/stage-meter.ts';
import type { Box } from '../../../../src/vision/box.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { openReading } from '../../gpu/open-reading.ts';
import { countsArgument, requireArguments } from '../host/command-arguments.ts';
import { printLine } from '../host/json-lines.ts';
import { answerDetection } from './answers.ts';
import { COUNTS_VARIABLE, readCounts } from './counts.ts';
import { createPixelKernel } from '../../../../src/vision/kernel/pixel-kernel.ts';

// memory.ts PACK RUNS [STAGE,...], by `npm run gpu-kit -- null-cuda` with NULL_CUDA_HEAP=1: how much more memory of its own, and of the
// GPU's, this process holds after as many runs of a stage, each with an input of another size.

interface Open {
  /** One item, with a picture or a person of the given size. */
  run(width: number, height: number): Promise<unknown>;
  release(): Promise<void>;
}

const kernel = createPixelKernel();
const FRAME = { width: 1280, height: 720 } as const;
const LEAST = 32;
/** All that is allocated once is allocated in these. */
const FIRST_RUNS = 50;

const pixels = new Uint8Array(FRAME.width * FRAME.height * 3);
const frame = picture(FRAME.width, FRAME.height);
const args = process.argv.slice(2);
requireArguments(args, 2, 'memory.ts PACK RUNS [STAGE,...]');
const [dir = '', runText, only] = args;
const target = { device: 'cuda' } as const;
const [runs = 1] = countsArgument(runText);
const meter = stageMeter();

const STAGES: Readonly<Record<string, (pack: Pack) => Promise<Open>>> = {
  detection: async (pack) => {
    await answerDetection(pack, [1]);
    const stage = await openDetection(pack, options());
    return { run: (width, height) => stage.run([picture(width, height)]), release: stage.release };
  },
  ageGender: async (pack) => {
    const stage = await openAgeGender(pack, options());
    const run = (width: number, height: number): Promise<unknown> => {
      const box = boxOf(width, height);
      const face = { ...box, x2: box.x2 / 2, y2: box.y2 / 2 };
      const detections = [
        { class: 'person', score: 1, box },
        { class: 'face', score: 1, box: face },
      ] as const;
      return stage.run([{ frame, detections, pair: { person: 0, face: 1 } }]);
    };
    return { run, release: stage.release };
  },
  orientation: async (pack) => {
    const stage = await openOrientation(pack, options());
    return { run: (width, height) => stage.run([{ frame, box: boxOf(width, height) }]), release: stage.release };
  },
  action: (pack) => openAction(pack, action.open),
  actionSteps: (pack) => openAction(pack, openActions),
};

setFlagsFromString('--expose-gc');
// What is collected is to be free when the collection ends.
setFlagsFromString('--no-concurrent-array-buffer-sweeping');
const collect = runInNewContext('gc') as () => void;
const pack = await loadPack(dir);
for (const stage of only?.split(',') ?? Object.keys(STAGES)) printLine(await measure(stage));

async function measure(stage: string): Promise<object> {
  const open = await STAGES[stage]?.(pack);
  if (open === undefined) throw new Error(`${stage} is no stage; there are ${Object.keys(STAGES).join(', ')}`);
  const runsBefore = meter.runs;
  // The largest first: the arena has all its memory then.
  await open.run(FRAME.width, FRAME.height);
  const sizes = otherSizes();
  const runNext = (): Promise<unknown> => open.run(...sizes.next().value);
  for (let i = 0; i < FIRST_RUNS; i++) await runNext();
  const before = await held(runNext);
  for (let i = 0; i < runs; i++) await runNext();
  const after = await held(runNext);
  await open.release();
  return {
    stage,
    runs,
    sessionRuns: meter.runs - runsBefore,
    grownBytes: after.ownBytes - before.ownBytes,
    gpuGrownBytes: after.gpuBytes - before.gpuBytes,
  };
}

async function openAction(pack: Pack, open: Parameters<typeof openReading>[0]): Promise<Open> {
  const { read, release } = await openReading(open, pack, options());
  return { run: (width, height) => read([pictureArea(frame, boxOf(width, height))]), release };
}

function options(): Parameters<typeof openDetection>[1] {
  return { target, padTo: [1], limit: 1, meter, kernel };
}

/** Sizes within the frame that repeat after all of them only: both steps have no divisor in common with their range. */
function* otherSizes(): Generator<[number, number], never> {
  for (let i = 1; ; i++) {
    yield [LEAST + ((i * 7919) % (FRAME.width - LEAST)), LEAST + ((i * 6007) % (FRAME.height - LEAST))];
  }
}

function boxOf(width: number, height: number): Box {
  return { x1: 0, y1: 0, x2: width, y2: height };
}

function picture(width: number, height: number): Picture {
  return { width, height, pixels: pixels.subarray(0, width * height * 3) };
}

/** Without what only waits to be collected; one run makes the stand-ins write down the process's own memory. */
async function held(run: () => Promise<unknown>): Promise<{ readonly ownBytes: number; readonly gpuBytes: number }> {
  collect();
  const { heapUsed } = process.memoryUsage();
  await run();
  const { heapBytes, liveBytes } = readCounts(process.env[COUNTS_VARIABLE] ?? '');
  if (heapBytes === 0) throw new Error('nothing was measured: set NULL_CUDA_HEAP, and run this on the stand-ins');
  // V8 takes the memory of its objects from the system itself.
  return { ownBytes: heapBytes + heapUsed, gpuBytes: liveBytes };
}
