import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';
import type { PackFile, TensorSpec } from '../../../src/packs/pack-manifest.ts';

/** A manifest as plain JSON, so that a test can break any field of it. */
export interface TinyPack {
  readonly dir: string;
  readonly manifest: Record<string, unknown>;
  /** Writes the manifest again after a change. */
  readonly save: () => Promise<void>;
}

type Shape = readonly (number | string)[];

/** Six graphs with the chain's tensor interfaces that compute nothing: enough for what is checked before the first run. */
export async function writeTinyPack(): Promise<TinyPack> {
  const dir = await mkdtemp(join(tmpdir(), 'tiny-pack-'));
  await mkdir(dir, { recursive: true });
  const put = async (path: string, bytes: Uint8Array): Promise<PackFile> => {
    await writeFile(join(dir, path), bytes);
    return { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  };
  const graph = async (
    path: string,
    inputs: Readonly<Record<string, Shape>>,
    outputs: Readonly<Record<string, Shape>>,
    int64: readonly string[] = [],
  ): Promise<Record<string, unknown>> => {
    const builder = new GraphBuilder(path);
    const dtype = (name: string): 'int64' | 'float32' => (int64.includes(name) ? 'int64' : 'float32');
    for (const [name, shape] of Object.entries(inputs)) builder.input(name, dtype(name), shape);
    // Sizes that depend on an input keep the shape inference from fixing what is declared dynamic.
    const rows = builder.node('Shape', [Object.keys(inputs)[0] ?? '']);
    const first = builder.node('Slice', [rows, builder.ints([0]), builder.ints([1])]);
    const one = builder.node('Div', [first, first]);
    for (const [name, shape] of Object.entries(outputs)) {
      const size = builder.ints(shape.map((n) => (typeof n === 'number' ? n : 1)));
      const zeros = builder.node('Expand', [builder.scalar(0), builder.node('Mul', [size, one])]);
      builder.output(zeros, name, 'float32', shape);
    }
    const spec = (side: Readonly<Record<string, Shape>>): TensorSpec[] =>
      Object.entries(side).map(([name, shape]) => ({ name, dtype: dtype(name), shape: [...shape] }));
    return { file: await put(path, builder.toBytes()), opset: 17, inputs: spec(inputs), outputs: spec(outputs) };
  };
  const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const source = { origin: 'test', licence: 'none' };
  const norm = { mean: [0, 0, 0], std: [1, 1, 1] };
  const added = ['<image>', '<|im_end|>'].map((content, id) => ({ id, content, special: true }));
  const manifest: Record<string, unknown> = {
    format: 1,
    name: 'tiny',
    description: 'for tests',
    detection: {
      adapter: 'yolov8',
      ...source,
      model: await graph('detector.onnx', { images: ['n', 3, 8, 8] }, { output0: ['n', 6, 4] }),
      classes: ['person', 'face'],
      letterboxFill: 114,
      confidence: 0.4,
      iou: 0.7,
      maxDetections: 300,
    },
    ageGender: {
      adapter: 'mivolo',
      ...source,
      model: await graph('age_gender.onnx', { input: ['n', 6, 8, 8] }, { output: ['n', 3] }),
      ...norm,
      minAge: 1,
      maxAge: 95,
      avgAge: 48,
    },
    orientation: {
      adapter: 'mebow',
      ...source,
      model: await graph('orientation.onnx', { input: ['n', 3, 8, 6] }, { output: ['n', 72] }),
      crop: 'affine',
      scale: 1.25,
      ...norm,
      bins: 72,
    },
    language: {
      adapter: 'fastvlm',
      ...source,
      visionEncoder: await graph(
        'vision_encoder.onnx',
        { pixel_values: ['n', 3, 8, 8] },
        { image_features: ['n', 2, 4] },
      ),
      embedTokens: await graph('embed_tokens.onnx', { input_ids: ['n', 't'] }, { inputs_embeds: ['n', 't', 4] }, [
        'input_ids',
      ]),
      decoder: await graph(
        'decoder_model_merged.onnx',
        {
          inputs_embeds: ['n', 't', 4],
          attention_mask: ['n', 'total'],
          position_ids: ['n', 't'],
          'past_key_values.0.key': ['n', 1, 'past', 2],
          'past_key_values.0.value': ['n', 1, 'past', 2],
        },
        { logits: ['n', 't', 8], 'present.0.key': ['n', 1, 'total', 2], 'present.0.value': ['n', 1, 'total', 2] },
        ['attention_mask', 'position_ids'],
      ),
      tokenizer: await put('tokenizer.json', text({ added_tokens: added })),
      tokenizerConfig: await put('tokenizer_config.json', text({})),
      imageSize: 8,
      imageTokens: 2,
      imageTokenId: 0,
      stopTokenIds: [1],
      kv: { layers: 1, heads: 1, headSize: 2 },
      template: '{system}<image>{question}',
      system: '',
    },
    action: { mode: 'score', question: 'what?', labels: ['sitting', 'standing'], maxNewTokens: 4 },
    scene: null,
  };
  const save = (): Promise<void> => writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest, null, 2));
  await save();
  return { dir, manifest, save };
}

/** The object at a path of property names. */
export function at(manifest: Record<string, unknown>, ...path: readonly (string | number)[]): Record<string, unknown> {
  return path.reduce((value, key) => value[key] as Record<string, unknown>, manifest);
}
