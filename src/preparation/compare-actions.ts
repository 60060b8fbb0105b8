import { openActions } from '../chain/action/read-actions.ts';
import { loadTokenizer } from '../chain/fastvlm/prompt.ts';
import { canvasFeeds } from '../chain/fastvlm/picture-canvas.ts';
import { openVisionLanguage } from '../chain/fastvlm/vision-language.ts';
import { ELEMENT_TYPES, readOnnx } from '../graphs/onnx/onnx-model.ts';
import { openBatchModel } from '../inference/batch-model.ts';
import { output } from '../inference/model.ts';
import { stageMeter } from '../inference/stage-meter.ts';
import { readFloats } from '../inference/tensor.ts';
import type { Pack } from '../packs/load-pack.ts';
import { packGraph } from '../packs/pack-graph.ts';
import type { ComposedSpec } from '../packs/pack-manifest.ts';
import { createPixelKernel } from '../vision/kernel/pixel-kernel.ts';
import { type PictureArea, wholeArea } from '../vision/picture-area.ts';

const CPU = { device: 'cpu' } as const;

/** Label scores of each picture, in the order of the labels. */
export type LabelScores = readonly (readonly number[])[];

export interface ScoreComparison {
  /** The largest difference of a label's score between the two ways; NaN where one of them gives no number. */
  readonly worst: number;
  /** What it may be: other than by rounding the two ways do not differ. */
  readonly bound: number;
}

/**
 * How far the scores of a label of up to `TOKENS_OF_BOUNDS` tokens may lie apart, in units of the natural logarithm. In single precision
 * the order of additions differs, and ONNX Runtime's sum over the vocabulary, which the steps add up in double precision: over 151,936
 * logits its LogSoftmax is some 5e-6 off at each token on a processor with AVX-512, and 1.3e-5 on one with AVX2 alone, all to one side,
 * and so a label of four tokens by up to 5.2e-5, where nothing is wrong. In a narrower one each number has eleven bits or fewer, and
 * ONNX Runtime leaves out other roundings in one graph than in several: on full-size models in half precision, whose scores reach from
 * -12 to -26, 0.007 was measured. A wrong token, position or order of labels shows as whole units.
 */
const SCORE_BOUNDS = { single: 1e-4, narrower: 0.1 } as const;
const TOKENS_OF_BOUNDS = 4;

/**
 * The bound for labels of which the longest has so many tokens. A score is a sum over them, and what each is off goes to one side: 4
 * tokens were off by 1.6e-5 where 24 were by 1.3e-4, and by 5.2e-5 and 3.1e-4 with AVX2 alone. Divided by their number, it is off as one
 * token is.
 */
export function scoreBound(
  precision: keyof typeof SCORE_BOUNDS,
  tokens: number,
  normalisation: 'sum' | 'length',
): number {
  const longer = normalisation === 'length' ? 1 : Math.max(1, tokens / TOKENS_OF_BOUNDS);
  return Number((SCORE_BOUNDS[precision] * longer).toPrecision(2));
}

/** Element types of weights whose products are rounded more than single precision does. */
const NARROWER = ['float16', 'bfloat16', 'int8', 'uint8'].map((name) => ELEMENT_TYPES.indexOf(name as 'float16'));

/**
 * Compares the scores of the prepared graph with those of the official models, step by step, on pictures that are the same everywhere, on
 * the CPU. With full-size models this takes a minute and some 5 GB.
 */
export async function compareActions(pack: Pack, spec: ComposedSpec): Promise<ScoreComparison> {
  const pictures = madePictures();
  const expected = await scoreStepwise(pack, pictures);
  const found = await scoreByGraph(pack, spec, pictures);
  const differences = expected.flatMap((scores, row) =>
    scores.map((score, label) => Math.abs(score - (found[row]?.[label] ?? Number.NaN))),
  );
  return { worst: Math.max(...differences), bound: await boundOf(pack, spec) };
}

async function boundOf(pack: Pack, spec: ComposedSpec): Promise<number> {
  const { labels, normalisation = 'sum' } = pack.manifest.action;
  const { graph } = await readOnnx(pack.filePath(spec.file));
  const isNarrower = graph.initializer?.some(
    ({ dims = [], dataType = 0 }) => dims.length > 1 && NARROWER.includes(dataType),
  );
  const { encode } = await loadTokenizer(pack);
  const longest = Math.max(...labels.map((label) => encode(label).length));
  return scoreBound(isNarrower === true ? 'narrower' : 'single', longest, normalisation);
}

/** The stage's own scores, step by step with the official models. */
export async function scoreStepwise(pack: Pack, pictures: readonly PictureArea[]): Promise<LabelScores> {
  const options = { target: CPU, padTo: [], limit: pictures.length, kernel: createPixelKernel() };
  const { manifest } = pack;
  // Whatever answers are taken from: the scores are the same in every mode, and made without words.
  const scoring: Pack = { ...pack, manifest: { ...manifest, action: { ...manifest.action, mode: 'score' } } };
  const language = await openVisionLanguage(scoring, options);
  try {
    const reading = { padTo: [], meter: stageMeter(), visionLanguage: () => Promise.resolve(language) };
    const { read } = await openActions(scoring, reading);
    return (await read(pictures)).map(({ labelScores }) => labelScores);
  } finally {
    await language.model.release();
  }
}

/** The scores of the prepared graph. `rows`: the batch's size, the number of pictures by default; rows beyond them are black. */
export async function scoreByGraph(
  pack: Pack,
  spec: ComposedSpec,
  pictures: readonly PictureArea[],
  rows = pictures.length,
): Promise<LabelScores> {
  const model = await openBatchModel(packGraph(pack, { field: 'prepared.action', spec }), CPU);
  try {
    const feeds = canvasFeeds(createPixelKernel(), pack.manifest.language.imageSize)(pictures, rows);
    const scores = readFloats(output(await model.run(rows, feeds, stageMeter()), 'scores', model));
    const labels = scores.length / rows;
    return pictures.map((_, row) => [...scores.subarray(row * labels, (row + 1) * labels)]);
  } finally {
    await model.release();
  }
}

/** Two pictures of different sizes: edges, gradients and grain. */
function madePictures(): readonly PictureArea[] {
  return [made(90, 210), made(160, 120)];
}

function made(width: number, height: number): PictureArea {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / (3 * width))];
    const square = ((x >> 4) + (y >> 4)) % 2;
    return (square === 0 ? x + y : 255 - x) + ((i * i) % 23);
  });
  return wholeArea({ width, height, pixels });
}
