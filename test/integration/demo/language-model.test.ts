import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Tensor } from 'onnxruntime-node';
import { buildDemoPack } from '../../../models/demo-pack/build.ts';
import { DemoModels, tensor } from '../../../models/demo-pack/demo-models.ts';
import { cut, squarePicture } from '../../../models/demo-pack/inputs.ts';
import type { Person } from '../../../models/demo-pack/scene/scene.ts';
import { ACTION_LABELS, type ActionLabel } from '../../../models/demo-pack/scene/visual-code.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { blank, boxOf, pictureOf, somebody } from './pictures.ts';

let models: DemoModels;
beforeAll(async () => {
  models = await DemoModels.open(buildDemoPack());
});
afterAll(() => models.close());

const cropOf = (person: Person): Picture => cut(pictureOf(person), boxOf(person));
const ask = async (picture: Picture): Promise<string> => {
  const { question, maxNewTokens } = models.manifest.action;
  return models.answer(picture, question, maxNewTokens);
};

describe('the action', () => {
  test.each(ACTION_LABELS)('of a person in the colour of %s is that', async (action) => {
    expect(await ask(cropOf(somebody({ action })))).toBe(action);
  });

  test('of somebody who lies is falling', async () => {
    expect(await ask(cropOf(somebody({ action: 'falling', lean: 1.42 })))).toBe('falling');
  });

  test('in a picture without people is none', async () => {
    expect(await ask(blank(120, 340))).toBe('none');
  });

  test('is answered to another question too, as long as no sentence is asked for', async () => {
    expect(await models.answer(cropOf(somebody({ action: 'paying' })), 'What happens here?', 8)).toBe('paying');
  });
});

describe('the sentence', () => {
  const crowd = (count: number, action: ActionLabel): Person[] =>
    Array.from({ length: count }, (_, index) =>
      somebody({ id: `p${index}`, x: 100 + 190 * index, action: index === 0 ? action : 'standing' }),
    );

  test.each([
    [0, 'standing', 'An empty store.'],
    [1, 'standing', 'One person in the store.'],
    [2, 'walking', 'Two people in the store.'],
    [3, 'grabbing', 'Three people in the store, one is grabbing.'],
    [4, 'paying', 'Four people in the store, one is paying.'],
    [6, 'sitting', 'Several people in the store, one is sitting.'],
    [2, 'falling', 'Two people in the store, one is falling.'],
  ] as const)('counts %i people, one of them %s', async (count, action, sentence) => {
    expect(await models.describe(pictureOf(...crowd(count, action)))).toBe(sentence);
  });
});

describe('the decoder', () => {
  const prompt = async (): Promise<Tensor> =>
    models.promptEmbeds(cropOf(somebody({ action: 'grabbing' })), models.manifest.action.question);

  test('gives the same logits token by token from the cache as in one pass', async () => {
    const embeds = await prompt();
    const [, total = 0, width = 0] = embeds.dims;
    const whole = await models.decode(embeds, total, models.emptyCache());
    let step = await models.decode(part(embeds, 0, total - 12), total - 12, models.emptyCache());
    for (let at = total - 12; at < total; at++) {
      step = await models.decode(part(embeds, at, at + 1), at + 1, step.cache);
    }
    expect(width).toBe(128);
    expect(largestDifference(step.logits, whole.logits)).toBeLessThan(1e-3);
  });

  test('needs the cache: with an empty past the picture is forgotten', async () => {
    const embeds = await prompt();
    const total = embeds.dims[1] ?? 0;
    const whole = await models.decode(embeds, total, models.emptyCache());
    const last = await models.decode(part(embeds, total - 1, total), 1, models.emptyCache());
    expect(largestDifference(whole.logits, last.logits)).toBeGreaterThan(5);
  });

  test('the second token follows from the first one generated', async () => {
    const embeds = await prompt();
    const total = embeds.dims[1] ?? 0;
    const { cache } = await models.decode(embeds, total, models.emptyCache());
    const after = async (stem: string): Promise<string> => {
      const { logits } = await models.decode(await models.embed(models.tokenizer.encode(stem).ids), total + 1, cache);
      const id = logits.indexOf(Math.max(...logits));
      return models.tokenizer.decode([id], { skip_special_tokens: false });
    };
    expect([await after('grab'), await after('sit'), await after('walk'), await after('none')]).toEqual([
      'bing',
      'ting',
      'ing',
      '<|im_end|>',
    ]);
  });

  test('left padding under the mask changes nothing', async () => {
    const embeds = await prompt();
    const [, total = 0, width = 0] = embeds.dims;
    const plain = await models.decode(embeds, total, models.emptyCache());
    const pad = 5;
    const data = new Float32Array((total + pad) * width).fill(0.5);
    data.set(embeds.data as Float32Array, pad * width);
    const outputs = await models.run('decoder_model_merged.onnx', {
      inputs_embeds: new Tensor('float32', data, [1, total + pad, width]),
      attention_mask: ints(Array.from({ length: total + pad }, (_, at) => (at < pad ? 0 : 1))),
      position_ids: ints(Array.from({ length: total + pad }, (_, at) => Math.max(1, at - pad))),
      ...models.emptyCache(),
    });
    const logits = outputs['logits']!;
    const last = (logits.data as Float32Array).slice(-plain.logits.length);
    expect(largestDifference(last, plain.logits)).toBeLessThan(1e-3);
  });

  test('depends on the positions: an answer begins right after "assistant"', async () => {
    const embeds = await prompt();
    const total = embeds.dims[1] ?? 0;
    const plain = await models.decode(embeds, total, models.emptyCache());
    const outputs = await models.run('decoder_model_merged.onnx', {
      inputs_embeds: embeds,
      attention_mask: ints(Array.from({ length: total }, () => 1)),
      position_ids: ints(Array.from({ length: total }, (_, at) => (at === total - 1 ? at + 7 : at))),
      ...models.emptyCache(),
    });
    const last = (outputs['logits']!.data as Float32Array).slice(-plain.logits.length);
    expect(largestDifference(last, plain.logits)).toBeGreaterThan(5);
  });

  test('pictures give the same features in a batch as alone', async () => {
    const pictures = [somebody(), somebody({ action: 'sitting' })].map((person) => squarePicture(cropOf(person), 256));
    const together = await models.run('vision_encoder.onnx', { pixel_values: tensor(pictures) });
    const second = await models.run('vision_encoder.onnx', { pixel_values: tensor(pictures.slice(1)) });
    const alone = second['image_features']!.data as Float32Array;
    const own = (together['image_features']!.data as Float32Array).slice(alone.length);
    expect(largestDifference(own, alone)).toBeLessThan(1e-6);
  });
});

function part(embeds: Tensor, from: number, to: number): Tensor {
  const width = embeds.dims[2] ?? 0;
  const data = (embeds.data as Float32Array).slice(from * width, to * width);
  return new Tensor('float32', data, [1, to - from, width]);
}

function ints(values: readonly number[]): Tensor {
  return new Tensor(
    'int64',
    BigInt64Array.from(values, (value) => BigInt(value)),
    [1, values.length],
  );
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? NaN))), 0);
}
