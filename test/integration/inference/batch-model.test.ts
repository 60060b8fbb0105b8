import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { openBatchModel, type BatchModel } from '../../../src/inference/batch-model.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { packGraph } from '../../../src/packs/pack-graph.ts';
import type { ExecutionTarget } from '../../../src/inference/providers.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';

const target = { device: 'cpu', threads: 1 } as const;
const create = InferenceSession.create.bind(InferenceSession);
let opened: InferenceSession[];
let released: number;
/** What the first run of the next session does. */
let failFirstRun: (() => Promise<never>) | null = null;

beforeEach(() => {
  opened = [];
  released = 0;
  const spy = jest.spyOn(InferenceSession, 'create') as unknown as jest.Mock<
    (path: string) => Promise<InferenceSession>
  >;
  spy.mockImplementation(async (path) => {
    const session = await create(path);
    const release = session.release.bind(session);
    session.release = async () => {
      released += 1;
      await release();
    };
    if (failFirstRun !== null) jest.spyOn(session, 'run').mockImplementationOnce(failFirstRun);
    failFirstRun = null;
    opened.push(session);
    return session;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

async function openOrientation(sessionPerSize: boolean, on: ExecutionTarget = target): Promise<BatchModel> {
  const pack = await loadPack('models/demo');
  const spec = pack.manifest.orientation.model;
  return openBatchModel(packGraph(pack, { field: 'orientation.model', spec }), on, sessionPerSize);
}

/** Rows of one colour each, so that every row has another answer. */
async function read(model: BatchModel, rows: number): Promise<readonly number[]> {
  const [input] = model.spec.inputs;
  const [, channels = 0, height = 0, width = 0] = input!.shape as number[];
  const size = channels * height * width;
  const pixels = Float32Array.from({ length: rows * size }, (_, i) => Math.floor(i / size) / 8 + (i % 7) / 7);
  const tensor = new Tensor('float32', pixels, [rows, channels, height, width]);
  const outputs = await model.run(rows, { [input!.name]: tensor }, stageMeter());
  return Array.from(outputs[model.spec.outputs[0]!.name]!.data as Float32Array);
}

test('every batch size has a session of its own, opened once, and all are released', async () => {
  const model = await openOrientation(true);
  const two = await read(model, 2);
  const four = await read(model, 4);
  for (let i = 0; i < 3; i++) {
    expect(await read(model, 2)).toEqual(two);
    expect(await read(model, 4)).toEqual(four);
  }
  expect(four.slice(0, two.length)).toEqual(two);
  expect(opened).toHaveLength(2);
  await model.release();
  expect(released).toBe(2);
});

test('sessions of larger batches are given back, and opened again where one is asked for', async () => {
  const model = await openOrientation(true);
  const two = await read(model, 2);
  for (const size of [4, 8]) await read(model, size);
  await model.releaseAbove(2);
  expect([opened.length, released]).toEqual([3, 2]);
  expect(await read(model, 2)).toEqual(two);
  expect(opened).toHaveLength(3);
  await read(model, 4);
  expect(opened).toHaveLength(4);
  await model.release();
  expect(released).toBe(4);
});

test('a release while larger ones are given back releases each once', async () => {
  const model = await openOrientation(true);
  for (const size of [2, 4, 8]) await read(model, size);
  await Promise.all([model.releaseAbove(1), model.release()]);
  expect([opened.length, released]).toEqual([3, 3]);
});

test('two first runs of one size at once share a session', async () => {
  const model = await openOrientation(true);
  await read(model, 1);
  const [a, b] = await Promise.all([read(model, 2), read(model, 2)]);
  expect(a).toEqual(b);
  expect(opened).toHaveLength(2);
  await model.release();
});

test('one session serves every size where shapes need no plan', async () => {
  const model = await openOrientation(false);
  for (const rows of [1, 4, 2]) await read(model, rows);
  expect(opened).toHaveLength(1);
  await model.release();
  expect(released).toBe(1);
});

test('a model that never ran is released', async () => {
  await (await openOrientation(true)).release();
  expect(released).toBe(1);
});

const noMemory = (): void => {
  (InferenceSession.create as unknown as jest.Mock).mockImplementationOnce(() =>
    Promise.reject(new Error('Failed to allocate memory for requested buffer of size 1024')),
  );
};

test('a size for which there was no memory fails that run alone and is tried again', async () => {
  const model = await openOrientation(true);
  const one = await read(model, 1);
  noMemory();
  await expect(read(model, 2)).rejects.toThrow(/Failed to allocate memory/);
  expect(await read(model, 1)).toEqual(one);
  expect((await read(model, 2)).slice(0, one.length)).toEqual(one);
  await model.release();
  expect(released).toBe(2);
});

test("on CUDA it is the GPU's memory that a further size lacks, so that its batch is halved", async () => {
  const model = await openOrientation(true, { device: 'cuda' });
  await read(model, 1);
  noMemory();
  await expect(read(model, 2)).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  await model.release();
});

test('a size whose first run finds no memory on the GPU gives back what it took; one that has run stays', async () => {
  const model = await openOrientation(true, { device: 'cuda' });
  const one = await read(model, 1);
  const runsOut = (): Promise<never> => Promise.reject(new Error('BFCArena: Failed to allocate memory'));
  failFirstRun = runsOut;
  await expect(read(model, 2)).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  expect([opened.length, released]).toEqual([2, 1]);
  jest.spyOn(opened[0]!, 'run').mockImplementationOnce(runsOut);
  await expect(read(model, 1)).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  expect(await read(model, 1)).toEqual(one);
  expect([opened.length, released]).toEqual([2, 1]);
  await model.release();
});

test('a release waits for a session that is being opened, and nothing runs after it', async () => {
  const model = await openOrientation(true);
  await read(model, 1);
  const late = read(model, 2);
  const releasing = model.release();
  await Promise.allSettled([late, releasing]);
  expect(opened).toHaveLength(2);
  expect(released).toBe(2);
  await expect(read(model, 4)).rejects.toThrow(/was released/);
  await model.release();
  expect(released).toBe(2);
});

test('a release after a size that could not be opened releases the others', async () => {
  const model = await openOrientation(true);
  await read(model, 1);
  noMemory();
  const failing = read(model, 2);
  const releasing = model.release();
  await expect(failing).rejects.toThrow(/Failed to allocate memory/);
  await releasing;
  expect(released).toBe(1);
});
