import { basename } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { InferenceSession } from 'onnxruntime-node';
import { action } from '../../../src/chain/action/action.ts';
import { sharedVisionLanguage } from '../../../src/chain/fastvlm/vision-language.ts';
import { openDescribe } from '../../../src/chain/scene/describe.ts';
import { loadPack, type Pack } from '../../../src/packs/load-pack.ts';
import type { PackManifest } from '../../../src/packs/pack-manifest.ts';
import { pictureArea } from '../../../src/vision/picture-area.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { boxOf, pictureOf, somebody } from '../demo/pictures.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

// Every model takes memory of the GPU and time of the start. The sessions run on the CPU here, but the stages believe in a GPU.

const ben = somebody({ id: 'ben', x: 700, action: 'grabbing', orientation: 90 });
const create = InferenceSession.create.bind(InferenceSession);
const GRAPH = 'prepared_action.onnx';
const ENCODER = 'prepared_vision_encoder.onnx';
const STEPS = [ENCODER, 'embed_tokens.onnx', 'decoder_model_merged.onnx'];
const PLAIN_STEPS = ['vision_encoder.onnx', ...STEPS.slice(1)];

let pack: Pack;
let opened: string[];

beforeAll(async () => {
  pack = await loadPack(await preparedPack('models/demo'));
});

beforeEach(() => {
  opened = [];
  const spy = jest.spyOn(InferenceSession, 'create') as unknown as jest.Mock<
    (path: string) => Promise<InferenceSession>
  >;
  spy.mockImplementation((path) => {
    opened.push(basename(path));
    return create(path, { intraOpNumThreads: 1 });
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

interface Asked {
  readonly device?: 'cpu' | 'cuda';
  readonly localScenes?: boolean;
  readonly manifest?: Partial<PackManifest>;
}

/**
 * What is open when the stages are, one person was read, and batches of one and of eight are warm, in the order of opening: on CUDA what has
 * convolutions is opened for each of the two sizes.
 */
async function openedFor({ device = 'cuda', localScenes = false, manifest = {} }: Asked): Promise<readonly string[]> {
  const asked = { ...pack, manifest: { ...pack.manifest, ...manifest } };
  const options = stageOptions({ target: { device, threads: 1 }, padTo: [1, 8] });
  const shared = sharedVisionLanguage(asked, options);
  const language = { ...options, visionLanguage: shared.get };
  const actions = await action.open(asked, language);
  const scenes = localScenes ? await openDescribe(asked, language) : null;
  const readings = await actions.read([pictureArea(pictureOf(ben), boxOf(ben))]);
  expect(readings).toEqual([expect.objectContaining({ label: 'grabbing' })]);
  await actions.warm(() => undefined);
  await scenes?.warm(() => undefined);
  await actions.release?.();
  await shared.release();
  return opened;
}

test('on CUDA the action takes one graph and no other model', async () => {
  expect(await openedFor({})).toEqual([GRAPH, GRAPH]);
});

test('local scene texts open the model beside it, its encoder for one picture at a time', async () => {
  expect(await openedFor({ localScenes: true })).toEqual([GRAPH, ...STEPS, GRAPH]);
});

test('a pack without a scene prompt opens nothing for scene texts', async () => {
  expect(await openedFor({ localScenes: true, manifest: { scene: null } })).toEqual([GRAPH, GRAPH]);
});

test('the reference mode, in which the model says the label, takes it step by step', async () => {
  const greedy = { ...pack.manifest.action, mode: 'greedy' as const };
  expect(await openedFor({ manifest: { action: greedy }, localScenes: true })).toEqual([...STEPS, ENCODER]);
});

test('a pack that was prepared without the graph goes on step by step, with one model for both', async () => {
  const { action: _graph, ...prepared } = pack.manifest.prepared ?? {};
  expect(await openedFor({ manifest: { prepared }, localScenes: true })).toEqual([...STEPS, ENCODER]);
});

test('on the CPU the graph stays closed', async () => {
  expect(await openedFor({ device: 'cpu' })).toEqual(PLAIN_STEPS);
});
