import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packManifestSchema, type ModelSpec, type PackFile, type PackManifest } from '../../src/packs/pack-manifest.ts';
import { ACTION_LABELS } from './scene/visual-code.ts';
import { type GraphBuilder, OPSET } from '../../src/graphs/onnx/graph-builder.ts';
import { AGE_CONSTANTS, buildAgeGender } from './age-gender.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from './colour-classes.ts';
import { buildDecoder, buildEmbedTokens, KV } from './decoder.ts';
import { buildDetector } from './detector.ts';
import { BINS, buildOrientation } from './orientation.ts';
import { ACTION_QUESTION, demoVocabulary, SCENE_QUESTION, SYSTEM, TEMPLATE } from './prompts.ts';
import { idOf, tokenizerConfigJson, tokenizerJson } from './tokenizer.ts';
import { buildVisionEncoder, IMAGE_SIZE, IMAGE_TOKENS } from './vision-encoder.ts';

/** The pack's files by name, the manifest among them. */
export type PackFiles = ReadonlyMap<string, Uint8Array>;

const OWN = { origin: 'made by models/demo-pack from hand-set weights', licence: 'the same as this repository' };

/** Builds every file of the demo pack in memory; the result is the same on every machine. */
export function buildDemoPack(): PackFiles {
  const files = new Map<string, Uint8Array>();
  const vocabulary = demoVocabulary();
  const file = (path: string, bytes: Uint8Array): PackFile => {
    files.set(path, bytes);
    return { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  };
  const model = (path: string, graph: GraphBuilder, metadata: Record<string, string> = {}): ModelSpec => ({
    file: file(path, graph.toBytes(metadata)),
    opset: OPSET,
    inputs: graph.inputs.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    outputs: graph.outputs.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
  });
  const ageMetadata = { min_age: '1', max_age: '95', avg_age: '48.0' };
  const manifest: PackManifest = {
    format: 1,
    name: 'demo',
    description: 'Small hand-set models that see the synthetic store video of models/demo-pack/scene and nothing else.',
    filesRoot: '.',
    detection: {
      adapter: 'yolov8',
      ...OWN,
      model: model('detector.onnx', buildDetector(), { names: "{0: 'person', 1: 'face'}", stride: '8' }),
      classes: ['person', 'face'],
      letterboxFill: 114,
      confidence: 0.4,
      iou: 0.7,
      maxDetections: 300,
    },
    ageGender: {
      adapter: 'mivolo',
      ...OWN,
      model: model('age_gender.onnx', buildAgeGender(), ageMetadata),
      mean: [...IMAGENET_MEAN],
      std: [...IMAGENET_STD],
      ...AGE_CONSTANTS,
    },
    orientation: {
      adapter: 'mebow',
      ...OWN,
      model: model('orientation.onnx', buildOrientation()),
      crop: 'affine',
      scale: 1.25,
      mean: [...IMAGENET_MEAN],
      std: [...IMAGENET_STD],
      bins: BINS,
    },
    language: {
      adapter: 'fastvlm',
      ...OWN,
      visionEncoder: model('vision_encoder.onnx', buildVisionEncoder()),
      embedTokens: model('embed_tokens.onnx', buildEmbedTokens(vocabulary)),
      decoder: model('decoder_model_merged.onnx', buildDecoder(vocabulary)),
      tokenizer: file('tokenizer.json', json(tokenizerJson(vocabulary))),
      tokenizerConfig: file('tokenizer_config.json', json(tokenizerConfigJson(vocabulary))),
      imageSize: IMAGE_SIZE,
      imageTokens: IMAGE_TOKENS,
      imageTokenId: idOf(vocabulary, '<image>'),
      stopTokenIds: [idOf(vocabulary, '<|im_end|>'), idOf(vocabulary, '<|endoftext|>')],
      kv: KV,
      template: TEMPLATE,
      system: SYSTEM,
    },
    action: { mode: 'score', question: ACTION_QUESTION, labels: [...ACTION_LABELS], maxNewTokens: 8 },
    scene: { question: SCENE_QUESTION, maxNewTokens: 24 },
  };
  files.set('manifest.json', json(packManifestSchema.parse(manifest)));
  return files;
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'models/demo' } } });
  await rm(values.out, { recursive: true, force: true });
  await mkdir(values.out, { recursive: true });
  let total = 0;
  for (const [name, bytes] of buildDemoPack()) {
    await writeFile(join(values.out, name), bytes);
    total += bytes.length;
    console.log(`${name} ${bytes.length} bytes`);
  }
  console.log(`${values.out}: ${total} bytes in all`);
}
