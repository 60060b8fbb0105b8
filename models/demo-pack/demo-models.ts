import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { PackManifest } from '../../src/packs/pack-manifest.ts';
import { specOf } from '../../src/packs/spec-of.ts';
import type { Box } from '../../src/vision/box.ts';
import type { Picture } from '../../src/vision/picture.ts';
import type { PackFiles } from './build.ts';
import { cut, cutBody, letterbox, normalise, orientationCrop, type Planes, squarePicture } from './inputs.ts';

export interface Found {
  readonly box: Box;
  readonly score: number;
}

/** What is used of the tokenizer; the package's own declarations do not resolve. */
export interface TextTokenizer {
  encode(text: string): { readonly ids: readonly number[] };
  decode(ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string;
}

/** The demo pack's models run one call at a time, without the worker: for tests of the pack and for its evaluation. */
export class DemoModels {
  readonly manifest: PackManifest;
  readonly tokenizer: TextTokenizer;
  readonly #sessions: ReadonlyMap<string, InferenceSession>;

  constructor(manifest: PackManifest, tokenizer: TextTokenizer, sessions: ReadonlyMap<string, InferenceSession>) {
    this.manifest = manifest;
    this.tokenizer = tokenizer;
    this.#sessions = sessions;
  }

  static async open(files: PackFiles, threads = 1): Promise<DemoModels> {
    const sessions = new Map<string, InferenceSession>();
    for (const [name, bytes] of files) {
      if (!name.endsWith('.onnx')) continue;
      sessions.set(
        name,
        await InferenceSession.create(bytes, { intraOpNumThreads: threads, graphOptimizationLevel: 'all' }),
      );
    }
    const tokenizer = new Tokenizer(
      parse(files, 'tokenizer.json'),
      parse(files, 'tokenizer_config.json'),
    ) as unknown as TextTokenizer;
    return new DemoModels(parse(files, 'manifest.json') as PackManifest, tokenizer, sessions);
  }

  async run(file: string, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const session = this.#sessions.get(file);
    if (session === undefined) throw new Error(`the pack has no model ${file}`);
    return session.run(feeds);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
  }

  /** Persons and faces of a picture in its pixels, by falling score, clipped to it. */
  async detect(picture: Picture): Promise<{ readonly persons: readonly Found[]; readonly faces: readonly Found[] }> {
    const input = letterbox(picture, 640, 114);
    const outputs = await this.run('detector.onnx', { images: tensor([input]) });
    const output = need(outputs, 'output0');
    const { confidence, iou } = specOf(this.manifest, 'detection', 'yolov8');
    const anchors = output.dims[2] ?? 0;
    const data = output.data as Float32Array;
    const gain = Math.min(640 / picture.width, 640 / picture.height);
    const left = Math.round((640 - Math.round(picture.width * gain)) / 2 - 0.1);
    const top = Math.round((640 - Math.round(picture.height * gain)) / 2 - 0.1);
    const read = (row: number, anchor: number): number => data[row * anchors + anchor] ?? 0;
    const ofClass = (row: number): readonly Found[] => {
      const candidates: Found[] = [];
      for (let anchor = 0; anchor < anchors; anchor++) {
        const score = read(row, anchor);
        if (score <= confidence) continue;
        const [x, y] = [(read(0, anchor) - left) / gain, (read(1, anchor) - top) / gain];
        const [width, height] = [read(2, anchor) / gain, read(3, anchor) / gain];
        const box = { x1: x - width / 2, y1: y - height / 2, x2: x + width / 2, y2: y + height / 2 };
        candidates.push({ score, box });
      }
      const kept = suppress(candidates, iou);
      return kept.map(({ box, score }) => ({ score, box: clip(box, picture.width, picture.height) }));
    };
    return { persons: ofClass(4), faces: ofClass(5) };
  }

  async ageGender(face: Picture | null, body: Picture | null): Promise<{ age: number; gender: 'male' | 'female' }> {
    const black: Picture = { width: 1, height: 1, pixels: new Uint8Array(3) };
    const parts = [face ?? black, body ?? black].map((part) => normalise(letterbox(part, 224, 0)).data);
    const data = new Float32Array(6 * 224 * 224);
    for (const [index, part] of parts.entries()) data.set(part, index * part.length);
    const outputs = await this.run('age_gender.onnx', { input: new Tensor('float32', data, [1, 6, 224, 224]) });
    const [male = 0, female = 0, x = 0] = need(outputs, 'output').data as Float32Array;
    const { minAge, maxAge, avgAge } = this.manifest.ageGender;
    return { age: x * (maxAge - minAge) + avgAge, gender: male >= female ? 'male' : 'female' };
  }

  async orientation(picture: Picture, box: Box): Promise<number> {
    const outputs = await this.run('orientation.onnx', { input: tensor([normalise(orientationCrop(picture, box))]) });
    const data = need(outputs, 'output').data as Float32Array;
    return data.indexOf(Math.max(...data)) * 5;
  }

  /** Greedy answer to a question about a picture. */
  async answer(picture: Picture, question: string, maxNewTokens: number): Promise<string> {
    const embeds = await this.promptEmbeds(picture, question);
    const ids: number[] = [];
    let length = embeds.dims[1] ?? 0;
    let step = await this.decode(embeds, length, this.emptyCache());
    while (ids.length < maxNewTokens) {
      const id = largest(step.logits);
      if (this.manifest.language.stopTokenIds.includes(id)) break;
      ids.push(id);
      length++;
      step = await this.decode(await this.embed([id]), length, step.cache);
    }
    return this.tokenizer.decode(ids, { skip_special_tokens: true });
  }

  /** The prompt's embeddings with the picture's features at the image's places, [1,T,128]. */
  async promptEmbeds(picture: Picture, question: string): Promise<Tensor> {
    const { language } = this.manifest;
    const encoded = await this.run('vision_encoder.onnx', {
      pixel_values: tensor([squarePicture(picture, language.imageSize)]),
    });
    const features = need(encoded, 'image_features').data as Float32Array;
    const text = language.template.replace('{system}', language.system).replace('{question}', question);
    const ids = this.tokenizer.encode(text).ids;
    const at = ids.indexOf(language.imageTokenId);
    const width = features.length / language.imageTokens;
    const before = (await this.embed(ids.slice(0, at))).data as Float32Array;
    const after = (await this.embed(ids.slice(at + 1))).data as Float32Array;
    const data = new Float32Array(before.length + features.length + after.length);
    data.set(before);
    data.set(features, before.length);
    data.set(after, before.length + features.length);
    return new Tensor('float32', data, [1, data.length / width, width]);
  }

  async embed(ids: readonly number[]): Promise<Tensor> {
    const input = BigInt64Array.from(ids, (id) => BigInt(id));
    const outputs = await this.run('embed_tokens.onnx', { input_ids: new Tensor('int64', input, [1, ids.length]) });
    return need(outputs, 'inputs_embeds');
  }

  emptyCache(): Readonly<Record<string, Tensor>> {
    const { layers, heads, headSize } = this.manifest.language.kv;
    const empty = (): Tensor => new Tensor('float32', new Float32Array(), [1, heads, 0, headSize]);
    const entries = Array.from({ length: layers }, (_, layer) => [
      [`past_key_values.${layer}.key`, empty()],
      [`past_key_values.${layer}.value`, empty()],
    ]);
    return Object.fromEntries(entries.flat()) as Record<string, Tensor>;
  }

  /** One step over [1,T,128] with `total` tokens so far, these included; the logits are those of the last position. */
  async decode(
    embeds: Tensor,
    total: number,
    cache: Readonly<Record<string, Tensor>>,
  ): Promise<{ readonly logits: Float32Array; readonly cache: Readonly<Record<string, Tensor>> }> {
    const tokens = embeds.dims[1] ?? 0;
    const positions = BigInt64Array.from({ length: tokens }, (_, index) => BigInt(total - tokens + index));
    const outputs = await this.run('decoder_model_merged.onnx', {
      inputs_embeds: embeds,
      attention_mask: new Tensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
      position_ids: new Tensor('int64', positions, [1, tokens]),
      ...cache,
    });
    const logits = need(outputs, 'logits');
    const size = logits.dims[2] ?? 0;
    const next = Object.entries(outputs)
      .filter(([name]) => name.startsWith('present.'))
      .map(([name, value]) => [name.replace('present', 'past_key_values'), value]);
    return {
      logits: (logits.data as Float32Array).slice((tokens - 1) * size),
      cache: Object.fromEntries(next) as Record<string, Tensor>,
    };
  }

  /** Everything about the persons of one picture. */
  async readPerson(
    picture: Picture,
    person: Box,
    face: Box | null,
    others: readonly Box[],
  ): Promise<{ age: number; gender: 'male' | 'female'; degrees: number; action: string }> {
    const faceCrop = face === null ? null : cut(picture, face);
    const read = await this.ageGender(faceCrop, cutBody(picture, person, others));
    const { action } = this.manifest;
    return {
      ...read,
      degrees: await this.orientation(picture, person),
      action: await this.answer(cut(picture, person), action.question, action.maxNewTokens),
    };
  }

  async describe(picture: Picture): Promise<string> {
    const { scene } = this.manifest;
    return scene === null ? '' : this.answer(picture, scene.question, scene.maxNewTokens);
  }
}

export function iou(a: Box, b: Box): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: Box): number => (box.x2 - box.x1) * (box.y2 - box.y1);
  return (width * height) / (area(a) + area(b) - width * height);
}

export function clip(box: Box, width: number, height: number): Box {
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  return {
    x1: within(box.x1, width),
    y1: within(box.y1, height),
    x2: within(box.x2, width),
    y2: within(box.y2, height),
  };
}

function suppress(candidates: readonly Found[], limit: number): readonly Found[] {
  const kept: Found[] = [];
  for (const candidate of candidates.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => iou(other.box, candidate.box) <= limit)) kept.push(candidate);
  }
  return kept;
}

/** A batch of pictures as one tensor [N,3,H,W]. */
export function tensor(batch: readonly Planes[]): Tensor {
  const { width, height } = batch[0] ?? { width: 0, height: 0 };
  const data = new Float32Array(batch.length * 3 * width * height);
  for (const [index, planes] of batch.entries()) data.set(planes.data, index * planes.data.length);
  return new Tensor('float32', data, [batch.length, 3, height, width]);
}

function need(outputs: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const value = outputs[name];
  if (value === undefined) throw new Error(`the model gave no ${name}`);
  return value;
}

function largest(values: Float32Array): number {
  return values.indexOf(values.reduce((most, value) => Math.max(most, value), -Infinity));
}

function parse(files: PackFiles, name: string): unknown {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`the pack has no ${name}`);
  return JSON.parse(new TextDecoder().decode(bytes));
}
