import { expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { flowFrames } from '../../../src/analysis/frame-flow.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import type { Frame } from '../../../src/video/frame.ts';
import { FakeChain, scriptedVideo } from '../../harness/fake-chain.ts';
import { wholeFootage } from '../../harness/footage.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

const REASON = new Interruption('shutdown', 'stopping');

/** Frames that note who has not been released. */
function noted(): { readonly held: Set<number>; readonly frame: (sample: number) => Frame } {
  const held = new Set<number>();
  const frame = (sample: number): Frame => {
    held.add(sample);
    return sharedFrame({ sample, index: sample, t: sample, width: 4, height: 4, release: () => held.delete(sample) });
  };
  return { held, frame };
}

test('a frame that comes after the abort is released, and no run is started for it', async () => {
  const { held, frame } = noted();
  const abort = new AbortController();
  const late = Promise.withResolvers<void>();
  async function* frames(): AsyncGenerator<Frame> {
    yield frame(0);
    abort.abort(REASON);
    await late.promise;
    yield frame(1);
  }
  const run: number[] = [];
  const flow = flowFrames(frames(), 4, abort.signal, async ({ sample, release }) => {
    run.push(sample);
    release();
  });
  await expect(flow).rejects.toBe(REASON);
  late.resolve();
  await new Promise(setImmediate);
  expect(run).toEqual([0]);
  expect(held.size).toBe(0);
});

test('a frame that the chain refuses is released', async () => {
  const { held, frame } = noted();
  const chain = new FakeChain(() => []);
  const add = chain.addFrame.bind(chain);
  chain.addFrame = (given) => {
    if (given.sample === 2) throw new Failure('INFERENCE_THREAD_DIED', 'the thread is gone');
    return add(given);
  };
  async function* frames(): AsyncGenerator<Frame> {
    for (let sample = 0; sample < 9; sample++) yield frame(sample);
  }
  const info = scriptedVideo(9);
  const analysis = analyzeVideo(
    { videoId: '1', info, frames: frames(), footage: wholeFootage(info), workspaceDir: '/nowhere' },
    { chain, describer: null },
    { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off' },
    () => undefined,
    new AbortController().signal,
  );
  await expect(analysis).rejects.toMatchObject({ code: 'INFERENCE_THREAD_DIED' });
  expect(held.size).toBe(0);
});
