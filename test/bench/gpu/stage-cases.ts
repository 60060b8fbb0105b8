import { pictureEncoder } from '../../../src/chain/fastvlm/encode-pictures.ts';
import { openLanguageModel, prefill, preparePrompt } from '../../../src/chain/fastvlm/language-model.ts';
import { buildPrompt } from '../../../src/chain/fastvlm/prompt.ts';
import { pictureArea } from '../../../src/vision/picture-area.ts';
import { action } from '../../../src/chain/action/action.ts';
import { openActions } from '../../../src/chain/action/read-actions.ts';
import { openAgeGender } from '../../../src/chain/age-gender/open-age-gender.ts';
import { openDetection } from '../../../src/chain/detection/open-detection.ts';
import { openOrientation } from '../../../src/chain/orientation/open-orientation.ts';
import type { Pack } from '../../../src/packs/load-pack.ts';
import type { ExecutionTarget } from '../../../src/inference/providers.ts';
import { type StageMeter, stageMeter } from '../../../src/inference/stage-meter.ts';
import type { BenchStage } from './arithmetic-floor.ts';
import { openReading } from './open-reading.ts';
import { syntheticScene } from './synthetic-scene.ts';
import { createPixelKernel } from '../../../src/vision/kernel/pixel-kernel.ts';

/** A stage that is open and can run any number of items. */
export interface StageCase {
  readonly meter: StageMeter;
  readonly run: (items: number) => Promise<unknown>;
  readonly release: () => Promise<void>;
}

type OpenCase = (pack: Pack, target: ExecutionTarget) => Promise<StageCase>;

const scene = syntheticScene();
const kernel = createPixelKernel();
const person = (i: number): number => (i % scene.persons) * 2;
const box = (i: number) => scene.detections[person(i)]?.box ?? { x1: 0, y1: 0, x2: 64, y2: 64 };
const items = <Item>(count: number, make: (i: number) => Item): readonly Item[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** How each stage is opened and fed, in the order of the chain. */
export const STAGE_CASES: Readonly<Record<BenchStage, OpenCase>> = {
  detection: async (pack, target) => {
    const meter = stageMeter();
    const stage = await openDetection(pack, { target, padTo: [], limit: 1, meter, kernel });
    return { meter, run: (count) => stage.run(items(count, () => scene.frame)), release: stage.release };
  },
  ageGender: async (pack, target) => {
    const meter = stageMeter();
    const stage = await openAgeGender(pack, { target, padTo: [], limit: 1, meter, kernel });
    const { frame, detections } = scene;
    const row = (i: number) => ({ frame, detections, pair: { person: person(i), face: person(i) + 1 } });
    return { meter, run: (count) => stage.run(items(count, row)), release: stage.release };
  },
  orientation: async (pack, target) => {
    const meter = stageMeter();
    const stage = await openOrientation(pack, { target, padTo: [], limit: 1, meter, kernel });
    const crop = (i: number) => ({ frame: scene.frame, box: box(i) });
    return { meter, run: (count) => stage.run(items(count, crop)), release: stage.release };
  },
  visionEncoder: async (pack, target) => {
    const meter = stageMeter();
    const lm = await openLanguageModel(pack, target);
    const encode = pictureEncoder(lm, kernel, 1);
    const crops = (count: number) => items(count, (i) => pictureArea(scene.frame, box(i)));
    return { meter, run: (count) => encode(crops(count), count, meter), release: lm.release };
  },
  prefill: async (pack, target) => {
    const meter = stageMeter();
    const lm = await openLanguageModel(pack, target);
    const prompt = await preparePrompt(
      lm,
      buildPrompt(lm.tokenizer, lm.language, pack.manifest.action.question),
      meter,
    );
    const perImage = (prompt.after.length / prompt.afterLength) * lm.language.imageTokens;
    const run = (count: number) => prefill(lm, prompt, new Float32Array(count * perImage), count, meter);
    return { meter, run, release: lm.release };
  },
  action: (pack, target) => actionCase(action.open, pack, target),
  actionSteps: (pack, target) => actionCase(openActions, pack, target),
};

async function actionCase(
  open: Parameters<typeof openReading>[0],
  pack: Pack,
  target: ExecutionTarget,
): Promise<StageCase> {
  const meter = stageMeter();
  const { read, release } = await openReading(open, pack, { target, padTo: [], limit: 1, meter, kernel });
  const crop = (i: number) => pictureArea(scene.frame, box(i));
  return { meter, run: (count) => read(items(count, crop)), release };
}

/** Reads the name of a stage; throws a sentence for another. */
export function benchStage(text: string): BenchStage {
  if (isStage(text)) return text;
  throw new Error(`the stages are ${Object.keys(STAGE_CASES).join(', ')}, not ${text}`);
}

function isStage(text: string): text is BenchStage {
  return Object.hasOwn(STAGE_CASES, text);
}
