import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { emptyCache, logitsAt, runDecoder } from '../../../src/chain/fastvlm/decoder.ts';
import { embed, encodeImages, openLanguageModel } from '../../../src/chain/fastvlm/language-model.ts';
import { buildPrompt } from '../../../src/chain/fastvlm/prompt.ts';
import { openFastVlm } from '../../harness/fast-vlm.ts';
import type { ActionReading } from '../../../src/chain/model-chain.ts';
import { batchSizes } from '../../../src/inference/batch.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import type { Pack } from '../../../src/packs/load-pack.ts';
import type { PackManifest } from '../../../src/packs/pack-manifest.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { assertPack } from '../../../src/packs/verify-pack.ts';
import { padSquare } from '../../oracle/pad-square.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { writePlanes } from '../../oracle/write-planes.ts';
import { resizeBicubic } from '../../oracle/resize-bicubic.ts';
import { logSumExp } from '../../../src/vision/softmax.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { exportTest as test } from '../../harness/export-test.ts';

const run = promisify(execFile);
const exporter = resolve('models/export');
const python = join(exporter, '.venv/system/bin/python');
const environment = { ...process.env, PYTHONPATH: exporter, OMP_NUM_THREADS: '1' };
const target = { device: 'cpu', threads: 1 } as const;
const SEED = '7';
const PRECISIONS = ['fp32', 'fp16'] as const;
type Precision = (typeof PRECISIONS)[number];

interface CheckpointResult {
  readonly half: Parts;
  readonly same: Readonly<Record<string, boolean>>;
  readonly left: readonly string[];
  readonly refusals: Readonly<Record<string, string>>;
  readonly large: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

let dir: string;
let checkpoints: CheckpointResult;
const packs = {} as Record<Precision, Pack>;
const readings = {} as Record<Precision, readonly ActionReading[]>;

type Parts = Readonly<Record<'language' | 'action' | 'scene', unknown>>;

/** The demo pack with the exported language model: a whole pack, so that all of it can be verified. */
async function packWith(precision: Precision, { language, action, scene }: Parts): Promise<Pack> {
  const out = join(dir, precision);
  const { filesRoot: _, ...demo } = JSON.parse(await readFile('models/demo/manifest.json', 'utf8')) as PackManifest;
  for (const { model } of [demo.detection, demo.ageGender, demo.orientation]) {
    await copyFile(join('models/demo', model.file.path), join(out, model.file.path));
  }
  await writeFile(join(out, 'manifest.json'), JSON.stringify({ ...demo, name: precision, language, action, scene }));
  return loadPack(out);
}

async function runPython(...parameters: string[]): Promise<string> {
  return (await run(python, parameters, { env: environment, maxBuffer: 1 << 24 })).stdout;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'export-fastvlm-'));
  // Fails, and says which package is missing, where the system's python3 has no torch.
  await run(join(exporter, 'export'), ['--system-torch', '--install-only']);
  const [single, half] = PRECISIONS.map((precision) => join(dir, precision)) as [string, string];
  const options = ['--out', single, '--precision', 'fp32', '--scale', 'tiny', '--seed', SEED];
  packs.fp32 = await packWith(
    'fp32',
    JSON.parse(await runPython('-m', 'gpu_video_models.fastvlm', ...options)) as Parts,
  );
  const script = 'test/integration/export/fastvlm-checkpoints.py';
  checkpoints = JSON.parse(await runPython(script, single, SEED, half, join(dir, 'work'))) as CheckpointResult;
  packs.fp16 = await packWith('fp16', checkpoints.half);
  for (const precision of PRECISIONS) readings[precision] = await readActions(packs[precision], pictures);
}, 600_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

/** Coloured gradients of several shapes: what an untrained model tells apart. */
const pictures: readonly Picture[] = Array.from({ length: 5 }, (_, i) => {
  const [width, height] = [40 + 17 * i, 120 - 9 * i];
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_unused, at) => {
    const pixel = Math.floor(at / 3);
    const along = (pixel % width) / width + (i * Math.floor(pixel / width)) / height;
    return Math.round(127 + 127 * Math.sin((at % 3) + 5 * along + i));
  });
  return { width, height, pixels };
});

async function readActions(
  pack: Pack,
  crops: readonly Picture[],
  options: { readonly mode?: 'score' | 'greedy'; readonly padTo?: readonly number[] } = {},
): Promise<readonly ActionReading[]> {
  const action = { ...pack.manifest.action, mode: options.mode ?? 'score' };
  const meters = { action: stageMeter(), scene: stageMeter() };
  const model = await openFastVlm(
    { ...pack, manifest: { ...pack.manifest, action } },
    { target, padTo: options.padTo ?? [], ...meters },
  );
  const found = await model.readActions(crops.map(wholeArea));
  await model.release();
  return found;
}

function largestDifference(a: readonly ActionReading[], b: readonly ActionReading[]): number {
  const differences = a.flatMap(({ labelScores }, i) =>
    labelScores.map((score, j) => Math.abs(score - (b[i]?.labelScores[j] ?? Number.NaN))),
  );
  return Math.max(...differences);
}

test.each(PRECISIONS)('%s: files, graphs and tokenizer are what the manifest says', async (precision) => {
  await assertPack(packs[precision], { hash: true });
  const { decoder, visionEncoder } = packs[precision].manifest.language;
  const typeOf = (name: string): string | undefined => decoder.inputs.find((input) => input.name === name)?.dtype;
  expect(typeOf('past_key_values.0.key')).toBe(precision === 'fp16' ? 'float16' : 'float32');
  // What JavaScript computes with is never 16 bits wide.
  expect([typeOf('inputs_embeds'), visionEncoder.inputs[0]?.dtype]).toEqual(['float32', 'float32']);
});

test.each(PRECISIONS)('%s: labels scored for several pictures at once are those of each alone', async (precision) => {
  const scores = readings[precision];
  const alone: ActionReading[] = [];
  for (const picture of pictures) alone.push(...(await readActions(packs[precision], [picture])));
  const padded = await readActions(packs[precision], pictures, { padTo: batchSizes(16) });
  const tolerance = precision === 'fp32' ? 1e-4 : 2e-3;
  expect(largestDifference(scores, alone)).toBeLessThan(tolerance);
  expect(largestDifference(scores, padded)).toBeLessThan(tolerance);
  // Random weights, but not blind: what is seen changes the scores far more than the tolerance.
  expect(largestDifference(scores, scores.slice(1).concat(scores.slice(0, 1)))).toBeGreaterThan(0.05);
});

test('16 bits change the scores little', () => {
  expect(largestDifference(readings.fp32, readings.fp16)).toBeLessThan(0.05);
  expect(largestDifference(readings.fp32, readings.fp16)).toBeGreaterThan(0);
});

test('values too large for 16 bits are kept wide where they are known to occur and refused elsewhere', () => {
  expect(checkpoints.large['early']).toMatch(/network\.7\.\S+ has values of \S+e\+\d\d, more than 16 bits can hold/);
  expect(checkpoints.large['late']).toBe('accepted');
});

test('a score is the log-probability of the label after the whole prompt in a single run', async () => {
  const { language, action } = packs.fp32.manifest;
  const lm = await openLanguageModel(packs.fp32, target);
  const meter = stageMeter();
  const size = language.imageSize;
  const pixels = new Float32Array(3 * size * size);
  writePlanes(resizeBicubic(padSquare(pictures[0]!), size, size), pixels, 0);
  const { before, after } = buildPrompt(lm.tokenizer, language, action.question);
  const features = await encodeImages(lm, pixels, 1, meter);
  for (const [i, label] of action.labels.entries()) {
    // Two labels in three tokens: the only label made of several has its later tokens read from their own positions.
    const tokens = [...lm.tokenizer.encode(label)];
    const parts = [await embed(lm, before, meter), features, await embed(lm, [...after, ...tokens], meter)];
    const embeds = Float32Array.from(parts.flatMap((part) => [...part]));
    const length = before.length + language.imageTokens + after.length + tokens.length;
    const cache = emptyCache(lm.decoder, language.kv, 1);
    const keep = tokens.length + 1;
    const step = await runDecoder(lm.decoder, language.kv, { embeds, length, cache, keep }, meter);
    expect(step.kept).toBe(keep);
    const expected = tokens.reduce((sum, token, at) => {
      const logits = logitsAt(step, 0, keep - at);
      return sum + logits[token]! - logSumExp(logits);
    }, 0);
    expect(readings.fp32[0]!.labelScores[i]!).toBeCloseTo(expected, 3);
  }
  await lm.release();
});

test('greedy answers for several pictures at once are those of each alone', async () => {
  const meters = { action: stageMeter(), scene: stageMeter() };
  const model = await openFastVlm(packs.fp32, { target, padTo: [], ...meters });
  const together = await model.describe(pictures.map(wholeArea));
  // One after the other, as the chain's thread calls it: the stage has one buffer for pixels.
  const alone: string[] = [];
  for (const picture of pictures) alone.push(...(await model.describe([wholeArea(picture)])));
  await model.release();
  expect(together).toEqual(alone);
  expect(new Set(together).size).toBeGreaterThan(1);
  const greedy = await readActions(packs.fp32, pictures, { mode: 'greedy' });
  expect(largestDifference(greedy, readings.fp32)).toBe(0);
});

test('a checkpoint in the published layout gives the same files, and a broken one is refused by name', () => {
  const { same, left, refusals, notes } = checkpoints;
  expect(Object.values(same)).toEqual([true, true, true, true, true]);
  expect(left).toEqual([]);
  const expected: Record<string, RegExp> = {
    'wrong model': /config\.json is not FastVLM 0\.5B's: model_type is 'llava_llama', expected 'llava_qwen2'/,
    'wrong size': /hidden_size is 65, expected 64; mm_vision_tower is 'clip_large'/,
    'cut off': /model-00002-of-00002\.safetensors ends before .*: the file is cut off/,
    'no header': /model-00001-of-00002\.safetensors is no safetensors file/,
    'missing shard': /is not whole: \d+ tensors are in no file, .* belongs to model-00002-of-00002\.safetensors/,
    'missing tensor': /1 tensors are in no file, such as model\.embed_tokens\.weight/,
    'unknown tensor': /has 1 weights that FastVLM 0\.5B does not have, such as model\.layers\.9\.q/,
    'other shape': /q_proj\.weight is \[128, 63\], expected \[128, 64\]/,
    'not finite': /has values that are not finite/,
    'no special token': /the tokenizer has no <\|im_end\|>/,
    'no merges': /merges\.txt cannot be read/,
    'no config': /has 0 folders with a config\.json/,
  };
  expect(Object.keys(refusals)).toEqual(Object.keys(expected));
  for (const [name, pattern] of Object.entries(expected)) expect(refusals[name]).toMatch(pattern);
  expect(notes).toHaveLength(3);
  expect(notes.join(' ')).toMatch(
    /image_aspect_ratio 'square'.*vocab_size 7.*tie_word_embeddings False.*no lm_head\.weight/,
  );
});
