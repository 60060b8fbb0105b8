import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { InferenceSession } from 'onnxruntime-node';
import { buildDemoPack } from '../../../models/demo-pack/build.ts';
import { DemoModels } from '../../../models/demo-pack/demo-models.ts';
import { LABEL_TOKENS, SCENE_QUESTION, SENTENCE_WORDS } from '../../../models/demo-pack/prompts.ts';
import { packManifestSchema, type PackFile } from '../../../src/packs/pack-manifest.ts';

const FOLDER = 'models/demo';
const built = buildDemoPack();
const manifest = packManifestSchema.parse(JSON.parse(new TextDecoder().decode(built.get('manifest.json'))));
const { language } = manifest;
const specs = [
  manifest.detection.model,
  manifest.ageGender.model,
  manifest.orientation.model,
  language.visionEncoder,
  language.embedTokens,
  language.decoder,
];
const files: readonly PackFile[] = [...specs.map((spec) => spec.file), language.tokenizer, language.tokenizerConfig];

describe('the committed pack', () => {
  test('is what the script builds, byte for byte, and nothing else', async () => {
    expect((await readdir(FOLDER)).toSorted()).toEqual([...built.keys()].toSorted());
    for (const [name, bytes] of built) {
      expect([name, Buffer.compare(await readFile(join(FOLDER, name)), bytes)]).toEqual([name, 0]);
    }
  });

  test('is under a megabyte', () => {
    expect([...built.values()].reduce((sum, bytes) => sum + bytes.length, 0)).toBeLessThan(1_000_000);
  });

  test.each(files.map((file) => [file.path, file] as const))('states size and sha256 of %s', async (path, file) => {
    const bytes = await readFile(join(FOLDER, path));
    expect(file.bytes).toBe(bytes.length);
    expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test.each(specs.map((spec) => [spec.file.path, spec] as const))('declares the tensors of %s', async (path, spec) => {
    const session = await InferenceSession.create(join(FOLDER, path));
    const declared = (tensors: typeof spec.inputs): object[] =>
      tensors.map(({ name, dtype, shape }) => ({ name, isTensor: true, type: dtype, shape }));
    expect(session.inputMetadata).toEqual(declared(spec.inputs));
    expect(session.outputMetadata).toEqual(declared(spec.outputs));
    await session.release();
  });
});

describe('the tokenizer', () => {
  let models: DemoModels;
  beforeAll(async () => {
    models = await DemoModels.open(built);
  });
  afterAll(() => models.close());

  const pieces = (text: string): string[] =>
    models.tokenizer.encode(text).ids.map((id) => models.tokenizer.decode([id], { skip_special_tokens: false }));

  test.each(Object.entries(LABEL_TOKENS))('splits %s as the decoder answers it', (label, tokens) => {
    expect(pieces(label)).toEqual(tokens);
  });

  test('has one token for every word of the sentences', () => {
    for (const word of SENTENCE_WORDS) expect(pieces(word)).toEqual([word]);
  });

  test('gives a text back unchanged, known words or not', () => {
    const text = 'Zwölf Boxkämpfer: 日本 <sitting>\n\t42';
    expect(models.tokenizer.decode(models.tokenizer.encode(text).ids, { skip_special_tokens: false })).toBe(text);
  });

  test.each([manifest.action.question, SCENE_QUESTION])('puts one image token into the prompt of %j', (question) => {
    const text = language.template.replace('{system}', language.system).replace('{question}', question);
    const { ids } = models.tokenizer.encode(text);
    expect(ids.filter((id) => id === language.imageTokenId)).toHaveLength(1);
    expect(ids.length).toBeLessThan(150);
  });
});
