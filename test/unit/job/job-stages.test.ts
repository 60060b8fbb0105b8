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
  stages.current = 'analysis';
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
  await chain.detect(handle, signal);
  expect(stages.of(error)).toBe('orientation');
  expect(stages.of(new Error('outer', { cause: error }))).toBe('orientation');
});

test('an error of the decoder is told apart, and its frames are closed early like before', async () => {
  const stages = new JobStages();
  stages.current = 'analysis';
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

test('what nobody has claimed belongs to the step under way', () => {
  const stages = new JobStages();
  stages.current = 'store';
  expect(stages.of(new Error('x'))).toBe('store');
  expect(stages.of('text')).toBe('store');
});
