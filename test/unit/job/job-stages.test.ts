import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { JobStages } from '../../../src/job/job-stages.ts';
import { FakeChain, scriptedFrames } from '../../harness/fake-chain.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const signal = new AbortController().signal;

test('an error belongs to the model that threw it, whatever has begun since, also under a wrapper', async () => {
  const stages = new JobStages();
  await stages.step('analysis', async () => undefined);
  const lost = new Failure('GPU_LOST', 'gone');
  const scripted = new FakeChain(() => [], {
    before: (stage) => {
      if (stage === 'orientation') throw lost;
    },
  });
  const chain = stages.chain(scripted);
  const [frame] = await all(scriptedFrames(1));
  const handle = chain.addFrame(frame!);
  const error: unknown = await chain.orientation(handle, [], signal).catch((e: unknown) => e);
  await chain.detection(handle, signal);
  expect(stages.of(error)).toBe('orientation');
  expect(stages.of(new Error('outer', { cause: error }))).toBe('orientation');
});

test('an error of the decoder is told apart, and its frames are closed early like before', async () => {
  const stages = new JobStages();
  await stages.step('analysis', async () => undefined);
  const broken = new Failure('VIDEO_DECODE_FAILED', 'x');
  let closed = 0;
  async function* frames(): ReturnType<typeof scriptedFrames> {
    try {
      yield* scriptedFrames(1);
      throw broken;
    } finally {
      closed += 1;
    }
  }
  await expect(all(stages.frames(frames()))).rejects.toBe(broken);
  expect(stages.of(broken)).toBe('decode');
  for await (const _ of stages.frames(frames())) break;
  expect(closed).toBe(2);
});

test('an error belongs to the step that threw it, unless one inside has claimed it', async () => {
  const stages = new JobStages();
  const [inner, outer] = [new Error('inner'), new Error('outer')];
  const nested = stages.step('analysis', () => stages.within('detection', () => Promise.reject(inner)));
  await expect(nested).rejects.toBe(inner);
  await expect(stages.step('highlights', () => Promise.reject(outer))).rejects.toBe(outer);
  await stages.step('store', async () => undefined);
  expect([stages.of(inner), stages.of(outer)]).toEqual(['detection', 'highlights']);
});

test('what nobody has claimed belongs to the step under way', async () => {
  const stages = new JobStages();
  expect(stages.of(new Error('x'))).toBe('head');
  await stages.step('store', async () => undefined);
  expect(stages.of(new Error('x'))).toBe('store');
  expect(stages.of('text')).toBe('store');
});
