import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packManifestSchema } from '../../src/packs/pack-manifest.ts';
import { describeFile, describeModel } from '../../models/demo-pack/describe-model.ts';

/** Writes test/packs/street/manifest.json from the files of the test pack. Usage: `node test/packs/street-manifest.ts [FILES]`. */
const manifestPath = resolve(dirname(fileURLToPath(import.meta.url)), './street/manifest.json');
const filesRoot = '../../../../shared/packs/street';
const files = resolve(process.argv[2] ?? join(dirname(manifestPath), filesRoot));

interface Prompt {
  readonly system: string;
  readonly question: string;
  readonly labels: readonly string[];
  readonly template: string;
}

const prompt = JSON.parse(await readFile(join(files, 'prompt.json'), 'utf8')) as Prompt;
const seeded = { origin: 'seeded random weights, made for tests', licence: 'test data only' };
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const manifest = {
  format: 1,
  name: 'street',
  description:
    'A real person detector; every other model has random weights. For tests only: its ages, genders, orientations and actions mean nothing.',
  filesRoot,
  detection: {
    adapter: 'yolov8',
    origin: 'FastestDet trained on COCO, (c) 2022 xuehao.ma, wrapped with the YOLOv8 person/face interface',
    licence: 'BSD-3-Clause',
    // Six rows (box and two scores) of 22 x 22 cells; the graph itself does not state its output's sizes.
    model: {
      ...(await describeModel(files, 'detector.onnx')),
      outputs: [{ name: 'output0', dtype: 'float32', shape: ['batch', 6, 484] }],
    },
    classes: ['person', 'face'],
    letterboxFill: 114,
    confidence: 0.4,
    iou: 0.7,
    maxDetections: 300,
  },
  ageGender: {
    adapter: 'mivolo',
    ...seeded,
    model: await describeModel(files, 'age_gender.onnx'),
    ...imageNet,
    minAge: 1,
    maxAge: 95,
    avgAge: 48,
  },
  orientation: {
    adapter: 'mebow',
    ...seeded,
    model: await describeModel(files, 'orientation.onnx'),
    crop: 'affine',
    scale: 1.25,
    ...imageNet,
    bins: 72,
  },
  language: {
    adapter: 'fastvlm',
    ...seeded,
    visionEncoder: await describeModel(files, 'vision_encoder.onnx'),
    embedTokens: await describeModel(files, 'embed_tokens.onnx'),
    decoder: await describeModel(files, 'decoder_model_merged.onnx'),
    tokenizer: await describeFile(files, 'tokenizer.json'),
    tokenizerConfig: await describeFile(files, 'tokenizer_config.json'),
    imageSize: 256,
    imageTokens: 16,
    imageTokenId: 447,
    stopTokenIds: [446, 444],
    kv: { layers: 2, heads: 2, headSize: 16 },
    template: prompt.template,
    system: prompt.system,
  },
  action: { mode: 'score', question: prompt.question, labels: prompt.labels, maxNewTokens: 16 },
  // The weights were fitted to answer this question only: any other gives an empty text.
  scene: { question: prompt.question, maxNewTokens: 16 },
};

await writeFile(manifestPath, `${JSON.stringify(packManifestSchema.parse(manifest), null, 2)}\n`);
console.log(`wrote ${manifestPath}`);
