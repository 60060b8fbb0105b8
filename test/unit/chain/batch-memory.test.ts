import { beforeEach, expect, test } from '@jest/globals';
import { BatchMemory } from '../../../src/chain/batch-memory.ts';
import type { BatchLimits } from '../../../src/chain/stage.ts';
import { Failure } from '../../../src/failure/failure.ts';

const { signal } = new AbortController();
const outOfMemory = (): Failure => new Failure('CUDA_OUT_OF_MEMORY', 'no memory');
const batchOf = (size: number): BatchLimits => ({ detection: size, people: size, language: size });

/** What the models keep, and what an operator was told. */
let kept: number;
let told: number[];
let memory: BatchMemory;

beforeEach(() => {
  [kept, told] = [8, []];
  memory = new BatchMemory({
    batch: batchOf(kept),
    lower: async ({ people }) => {
      await new Promise((resolve) => setImmediate(resolve));
      kept = people;
    },
    onLowered: (_from, to) => told.push(to.people),
  });
});

/** A call that finds memory once the models keep no more than this. */
async function callUpTo(most: number): Promise<string> {
  if (kept > most) throw outOfMemory();
  return 'answer';
}

test('a call without memory is made again with what larger batches had, as long as there is any', async () => {
  expect(await memory.findFor(() => callUpTo(2), signal)).toBe('answer');
  expect([kept, told]).toEqual([2, [4, 2]]);
  await expect(memory.findFor(() => callUpTo(0), signal)).rejects.toMatchObject({ code: 'CUDA_OUT_OF_MEMORY' });
  expect([kept, told]).toEqual([1, [4, 2, 1]]);
});

test('calls that fail together are helped together, and one that failed before only tries again', async () => {
  const late = Promise.withResolvers<void>();
  let isFirst = true;
  const straggler = memory.findFor(async () => {
    if (!isFirst) return 'answer';
    isFirst = false;
    await late.promise;
    throw outOfMemory();
  }, signal);
  const answers = await Promise.all([1, 2, 3].map(() => memory.findFor(() => callUpTo(4), signal)));
  late.resolve();
  expect([...answers, await straggler]).toEqual(['answer', 'answer', 'answer', 'answer']);
  expect(told).toEqual([4]);
});

test('any other failure stands', async () => {
  const call = (): Promise<never> => Promise.reject(new Failure('CUDA_ERROR', 'broken'));
  await expect(memory.findFor(call, signal)).rejects.toMatchObject({ code: 'CUDA_ERROR' });
  expect(told).toEqual([]);
});

test('whoever gives up waits for no thread that does not answer, and makes no further call', async () => {
  const controller = new AbortController();
  let calls = 0;
  const stuck = new BatchMemory({ batch: batchOf(2), lower: () => new Promise(() => {}), onLowered: () => {} });
  const answer = stuck.findFor(async () => {
    calls += 1;
    throw outOfMemory();
  }, controller.signal);
  setImmediate(() => controller.abort(new Error('given up')));
  await expect(answer).rejects.toThrow('given up');
  expect(calls).toBe(1);
});
