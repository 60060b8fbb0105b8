import { readdir } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { InferenceSession } from 'onnxruntime-node';
import { describeProblem } from '../../../src/packs/pack-problem.ts';
import { preparePack } from '../../../src/preparation/prepare-pack.ts';
import { verifyModels } from '../../../src/preparation/verify-models.ts';
import { outcomesWithFewDescriptors } from '../../harness/few-descriptors.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

const create = InferenceSession.create.bind(InferenceSession) as (
  path: string,
  options: InferenceSession.SessionOptions,
) => Promise<InferenceSession>;

const GRAPH = 'prepared_action.onnx';
const DECODER = 'decoder_model_merged.onnx';
const NO_MEMORY = 'std::bad_alloc';

let folder: TemporaryFolder;
let ready: string;
let cases = 0;

beforeAll(async () => {
  folder = await temporaryFolder('host-faults');
  ready = await preparedPack('models/demo');
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(() => folder.remove());

/** Fails once: at the first opening of a graph, or at the first run of it. */
function failOnce(graph: string, at: 'opening' | 'running', text: string): void {
  let hasFailed = false;
  const spy = jest.spyOn(InferenceSession, 'create') as unknown as jest.Mock<typeof create>;
  spy.mockImplementation(async (path, options) => {
    const isMeant = basename(path) === graph && !hasFailed;
    if (isMeant && at === 'opening') {
      hasFailed = true;
      throw new Error(text);
    }
    const session = await create(path, options);
    if (!isMeant) return session;
    const run = session.run.bind(session) as (...given: unknown[]) => ReturnType<InferenceSession['run']>;
    jest.spyOn(session, 'run').mockImplementation((...given: unknown[]) => {
      if (hasFailed) return run(...given);
      hasFailed = true;
      return Promise.reject(new Error(text));
    });
    return session;
  });
}

test.each([
  [GRAPH, 'opening'],
  [DECODER, 'running'],
] as const)('memory that was short once is no reason in the manifest for ever: %s, %s it', async (graph, at) => {
  failOnce(graph, at, NO_MEMORY);
  const out = folder.at(`case-${++cases}`, 'pack');
  await expect(preparePack('models/demo', out)).rejects.toMatchObject({
    code: 'HOST_OUT_OF_MEMORY',
    message: expect.stringContaining(NO_MEMORY) as unknown,
  });
  expect(await readdir(folder.at(`case-${cases}`))).toEqual([]);
});

test.each([GRAPH, DECODER])('memory that is short while scores are compared is no wrong score: %s', async (graph) => {
  failOnce(graph, 'running', NO_MEMORY);
  await expect(verifyModels(ready, { device: 'cpu' })).rejects.toMatchObject({
    code: 'HOST_OUT_OF_MEMORY',
    message: `running ${graph} on cpu failed: ${NO_MEMORY}`,
  });
});

test('with too few descriptors neither a good pack nor its scores are called wrong', async () => {
  const source = (path: string): string => JSON.stringify(resolve('src', path));
  const outcomes = await outcomesWithFewDescriptors(folder.at('few.mjs'), {
    setUp: `import { toFailure } from ${source('failure/classify.ts')};
      import { verifyModels } from ${source('preparation/verify-models.ts')};`,
    open: `async () => {
      try {
        const { problems } = await verifyModels(${JSON.stringify(ready)}, { device: 'cpu' });
        return problems.length === 0 ? 'in order' : problems[0].found;
      } catch (error) {
        return toFailure(error).code;
      }
    }`,
    // With two free it is in order.
    mostFree: 3,
  });
  expect(outcomes).toEqual(['HOST_FAULT', 'in order']);
});

test.each([
  [GRAPH, 'those of the official models'],
  [DECODER, 'label scores, step by step'],
])('the model that gives no scores is the one that is named: %s', async (graph, expected) => {
  failOnce(graph, 'running', 'dimensions differ');
  const { ok, problems } = await verifyModels(ready, { device: 'cpu' });
  expect(ok).toBe(false);
  expect(problems.map(describeProblem)).toEqual([
    `${graph}: scores: expected ${expected}, found running ${graph} on cpu failed: dimensions differ`,
  ]);
});
