import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pictureArea } from '../../../../src/vision/picture-area.ts';
import { action } from '../../../../src/chain/action/action.ts';
import { openActions } from '../../../../src/chain/action/read-actions.ts';
import { openAgeGender } from '../../../../src/chain/age-gender/open-age-gender.ts';
import { openDetection } from '../../../../src/chain/detection/open-detection.ts';
import { openOrientation } from '../../../../src/chain/orientation/open-orientation.ts';
import { batchSizes } from '../../../../src/inference/batch.ts';
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
// GPU's, this process holds after as many runs of a stage, each with an input of another size, and with another number of people where it
// reads them.

interface Open {
  /** One picture of the given size, or so many people of that size. */
  run(width: number, height: number, people: number): Promise<unknown>;
  release(): Promise<void>;
}

interface Held {
  readonly ownBytes: number;
  readonly gpuBytes: number;
}

const kernel = createPixelKernel();
const FRAME = { width: 1280, height: 720 } as const;
const LEAST = 32;
/** Of as many runs more, before the first look: all that is allocated once is allocated in these, and what only the first ones needed is gone. */
const FIRST_SHARE = 0.3;
const LOOKS = 5;
const MOST_PEOPLE = 64;
/** Pictures among which people are spread: those of one are read from it as a whole where they are together larger. */
const PICTURES = 4;

const pixels = new Uint8Array(FRAME.width * FRAME.height * 3);
const frame = picture(FRAME.width, FRAME.height);
const frames = Array.from({ length: PICTURES }, () => picture(FRAME.width, FRAME.height));
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
    const stage = await openAgeGender(pack, ofPeople());
    const run = (width: number, height: number, people: number): Promise<unknown> => {
      const box = boxOf(width, height);
      const face = { ...box, x2: box.x2 / 2, y2: box.y2 / 2 };
      const detections = [
        { class: 'person', score: 1, box },
        { class: 'face', score: 1, box: face },
      ] as const;
      return stage.run(spread(people).map((of) => ({ frame: of, detections, pair: { person: 0, face: 1 } })));
    };
    return { run, release: stage.release };
  },
  orientation: async (pack) => {
    const stage = await openOrientation(pack, ofPeople());
    const run = (width: number, height: number, people: number): Promise<unknown> =>
      stage.run(spread(people).map((of) => ({ frame: of, box: boxOf(width, height) })));
    return { run, release: stage.release };
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
  const runLargest = (people = MOST_PEOPLE): Promise<unknown> => open.run(FRAME.width, FRAME.height, people);
  // The largest of every batch size first: the arena has all its memory then.
  for (const people of batchSizes(MOST_PEOPLE)) await runLargest(people);
  const sizes = otherSizes();
  const runNext = (): Promise<unknown> => open.run(...sizes.next().value);
  // Beside what is allocated once, the first collection lets go of something that comes back to the system later only.
  await held(runLargest);
  for (let i = 0; i < FIRST_SHARE * runs; i++) await runNext();
  const before = await held(runLargest);
  for (let i = 0; i < runs; i++) await runNext();
  const after = await held(runLargest);
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

function ofPeople(): Parameters<typeof openDetection>[1] {
  return { ...options(), padTo: batchSizes(MOST_PEOPLE), limit: MOST_PEOPLE };
}

/** Sizes within the frame that repeat after all of them only, and 1 to 64 people: no step has a divisor in common with its range. */
function* otherSizes(): Generator<[width: number, height: number, people: number], never> {
  for (let i = 1; ; i++) {
    const width = LEAST + ((i * 7919) % (FRAME.width - LEAST));
    yield [width, LEAST + ((i * 6007) % (FRAME.height - LEAST)), 1 + ((i * 37) % MOST_PEOPLE)];
  }
}

/** The picture of each of so many people. */
function spread(people: number): readonly Picture[] {
  return Array.from({ length: people }, (_, i) => frames[i % PICTURES] ?? frame);
}

function boxOf(width: number, height: number): Box {
  return { x1: 0, y1: 0, x2: width, y2: height };
}

function picture(width: number, height: number): Picture {
  return { width, height, pixels: pixels.subarray(0, width * height * 3) };
}

/** The least of a few looks: what a run has just let go of is in some of them. */
async function held(run: () => Promise<unknown>): Promise<Held> {
  const looks: Held[] = [];
  for (let look = 0; look < LOOKS; look++) looks.push(await lookAt(run));
  return {
    ownBytes: Math.min(...looks.map(({ ownBytes }) => ownBytes)),
    gpuBytes: Math.max(...looks.map(({ gpuBytes }) => gpuBytes)),
  };
}

/** Without what only waits to be collected; one run makes the stand-ins write down the process's own memory. */
async function lookAt(run: () => Promise<unknown>): Promise<Held> {
  collect();
  const { heapUsed } = process.memoryUsage();
  await run();
  const { heapBytes, liveBytes } = readCounts(process.env[COUNTS_VARIABLE] ?? '');
  if (heapBytes === 0) throw new Error('nothing was measured: set NULL_CUDA_HEAP, and run this on the stand-ins');
  // V8 takes the memory of its objects from the system itself.
  return { ownBytes: heapBytes + heapUsed, gpuBytes: liveBytes };
}
