import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { detection } from '../../../src/chain/detection/detection.ts';
import { openVisionLanguage } from '../../../src/chain/fastvlm/vision-language.ts';
import { VISION_STAGES } from '../../../src/chain/vision-stages.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import { createPixelKernel } from '../../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { writeDetrPack } from '../../harness/detr-pack.ts';
import { blank } from '../demo/pictures.ts';

const LIMIT = 5;
const frame = blank(128, 128);
const meter = stageMeter();
const target = { device: 'cpu', threads: 1 } as const;
let demo: Pack;
let detr: Pack;
let detrFolder: string;

beforeAll(async () => {
  demo = await loadPack('models/demo');
  ({ dir: detrFolder } = await writeDetrPack({ activation: 'sigmoid', letterboxFill: null }));
  detr = await loadPack(detrFolder);
});

afterAll(() => rm(detrFolder, { recursive: true, force: true }));

/** Memory of the kernel after batches of 1, 2, ... up to the limit. */
async function memoryByBatch(memoryBytes: () => number, run: (size: number) => Promise<void>): Promise<number[]> {
  const sizes: number[] = [];
  for (let size = 1; size <= LIMIT; size++) {
    await run(size);
    sizes.push(memoryBytes());
  }
  return sizes;
}

test.each([
  ...Object.entries(VISION_STAGES).map(([name, stage]) => ({ name, stage, pack: () => demo })),
  { name: 'detection of the DETR kind', stage: detection, pack: () => detr },
])('$name needs no more memory for pictures when its batches grow', async ({ stage, pack }) => {
  const kernel = createPixelKernel();
  const model = await stage.open(pack(), { target, padTo: [], limit: LIMIT, meter, kernel });
  const memory = await memoryByBatch(kernel.memoryBytes, (size) => model.warm(frame, size));
  expect(new Set(memory).size).toBe(1);
  await model.release();
});

test('the vision-language model needs no more memory for pictures when its batches grow', async () => {
  const kernel = createPixelKernel();
  const { model, prepare } = await openVisionLanguage(demo, { target, limit: LIMIT, kernel });
  const start = await prepare('What?', { padTo: [], meter });
  const memory = await memoryByBatch(kernel.memoryBytes, async (size) => {
    await start(
      Array.from({ length: size }, () => wholeArea(frame)),
      meter,
    );
  });
  expect(new Set(memory).size).toBe(1);
  await model.release();
});
