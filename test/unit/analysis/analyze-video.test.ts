import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { analyzeVideo, type AnalysisProgress } from '../../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import type { Footage } from '../../../src/video/footage.ts';
import type { Frame } from '../../../src/video/frame.ts';
import { FakeChain, scriptedFrames, scriptedVideo, type Script } from '../../harness/fake-chain.ts';
import { wholeFootage } from '../../harness/footage.ts';

/** Scripted actions change without a sign of it: everybody is read in every sample. */
const settings: AnalysisSettings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', actionEverySeconds: 0 };

let workspaceDir: string;
beforeEach(async () => {
  workspaceDir = await mkdtemp(join(tmpdir(), 'analysis-'));
});
afterEach(async () => {
  await rm(workspaceDir, { recursive: true, force: true });
});

interface RunOptions {
  readonly frames?: AsyncIterable<Frame>;
  readonly footage?: () => Footage;
  readonly settings?: AnalysisSettings;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: AnalysisProgress) => void;
}

function analyse(chain: FakeChain, samples: number, options: RunOptions = {}): Promise<VideoAnalysis> {
  return analyzeVideo(
    {
      videoId: '42',
      info: scriptedVideo(samples),
      frames: options.frames ?? scriptedFrames(samples),
      footage: options.footage ?? wholeFootage(scriptedVideo(samples)),
      workspaceDir,
    },
    { chain, describer: null },
    options.settings ?? settings,
    options.onProgress ?? (() => undefined),
    options.signal ?? new AbortController().signal,
  );
}

const walker: Script = (sample) => [
  {
    box: [100 + sample * 60, 200, 200 + sample * 60, 500],
    face: [130 + sample * 60, 210, 160 + sample * 60, 240],
    action: sample >= 4 && sample <= 7 ? 'grabbing' : 'walking',
    orientation: 270,
    age: 30 + (sample % 3),
    gender: 'female',
  },
];

test('the analysis tells how the video was decoded', async () => {
  const whole = wholeFootage(scriptedVideo(3))();
  expect((await analyse(new FakeChain(walker), 3)).sampling.decode).toBe('exact');
  const fast = await analyse(new FakeChain(walker), 3, { footage: () => ({ ...whole, decode: 'fast' }) });
  expect(fast.sampling.decode).toBe('fast');
});

describe('a video with one person', () => {
  test('becomes one track with attributes, observations in order and one event per action', async () => {
    const chain = new FakeChain(walker);
    const analysis = await analyse(chain, 12);
    expect(analysis.tracks).toHaveLength(1);
    const [track] = analysis.tracks;
    expect(track).toMatchObject({
      id: 1,
      observations: 12,
      gender: 'female',
      ageGroup: 'middle',
      mainAction: 'walking',
    });
    expect(track?.age).toBeGreaterThanOrEqual(30);
    expect(track?.age).toBeLessThanOrEqual(32);
    expect(analysis.frames.map(({ index }) => index)).toEqual([0, 7, 14, 20, 27, 34, 40, 47, 54, 60, 67, 74]);
    expect(analysis.frames[4]?.detections[0]).toMatchObject({
      track: 1,
      class: 'person',
      box: [340, 200, 440, 500],
      face: [370, 210, 400, 240],
      orientation: 270,
      action: 'grabbing',
      zone: 'left',
    });
    expect(analysis.frames[4]?.detections[1]).toMatchObject({ track: 1, class: 'face', face: null, action: null });
    expect(analysis.events.map(({ type, frameIndex }) => [type, frameIndex])).toEqual([
      ['walking', 0],
      ['grabbing', 27],
      ['walking', 54],
    ]);
    expect(chain.open.size).toBe(0);
  });

  test('a highlight shows the frame in which the action begins, under the key of the contract', async () => {
    const chain = new FakeChain(walker);
    const analysis = await analyse(chain, 12);
    const grabbing = analysis.events.find(({ type }) => type === 'grabbing');
    expect(grabbing?.highlight?.key).toBe('highlights/42/2.7s_grabbing.jpg');
    expect(grabbing?.startSeconds).toBe(2.7);
    expect(await readFile(grabbing?.highlight?.file ?? '', 'utf8')).toBe('jpeg of 4');
    expect(chain.jpegs[0]?.options.box).toEqual({ x1: 340, y1: 200, x2: 440, y2: 500 });
    expect(analysis.events.filter(({ highlight }) => highlight !== null)).toHaveLength(1);
  });

  test('attributes are read on few crops per person, or on every one', async () => {
    const perTrack = new FakeChain(walker);
    await analyse(perTrack, 20);
    const perFrame = new FakeChain(walker);
    const analysis = await analyse(perFrame, 20, { settings: { ...settings, attributes: 'per-frame' } });
    const readings = (chain: FakeChain): number => chain.calls.filter(({ stage }) => stage === 'ageGender').length;
    expect(readings(perTrack)).toBe(settings.attributeReadings);
    expect(readings(perFrame)).toBe(20);
    expect(analysis.frames.map(({ detections }) => detections[0]?.age)).toEqual(
      Array.from({ length: 20 }, (_, sample) => 30 + (sample % 3)),
    );
  });

  test('an unsure box is nobody, but per frame it is read like everybody', async () => {
    const script: Script = () => [{ box: [100, 200, 200, 500], score: 0.45, age: 50, action: 'standing' }];
    const perTrack = await analyse(new FakeChain(script), 2);
    const perFrame = await analyse(new FakeChain(script), 2, { settings: { ...settings, attributes: 'per-frame' } });
    expect(perTrack.frames[1]?.detections[0]).toMatchObject({ track: null, age: null, action: null });
    expect(perFrame.frames[1]?.detections[0]).toMatchObject({ track: null, age: 50, action: 'standing' });
    expect([...perTrack.tracks, ...perFrame.tracks]).toEqual([]);
  });

  test('a person seen once is a detection, not a person', async () => {
    const analysis = await analyse(new FakeChain((sample) => (sample === 2 ? walker(sample) : [])), 5);
    expect(analysis.tracks).toEqual([]);
    expect(analysis.frames[2]?.detections.map(({ track }) => track)).toEqual([null, null]);
  });

  test('the action is carried on between its readings, and read again where one says something new', async () => {
    const chain = new FakeChain(walker);
    const analysis = await analyse(chain, 12, { settings: { ...settings, actionEverySamples: 3 } });
    const read = chain.calls.filter(({ stage }) => stage === 'action').map(({ sample }) => sample);
    expect(read.toSorted((a, b) => a - b)).toEqual([0, 1, 3, 6, 7, 9, 10]);
    expect(analysis.frames.map(({ detections }) => detections[0]?.action)).toEqual([
      ...Array.from({ length: 6 }, () => 'walking'),
      ...Array.from({ length: 3 }, () => 'grabbing'),
      ...Array.from({ length: 3 }, () => 'walking'),
    ]);
    expect(
      analysis.events.map(({ type, startSeconds, durationSeconds }) => [type, startSeconds, durationSeconds]),
    ).toEqual([
      ['walking', 0, 4.067],
      ['grabbing', 4, 2.067],
      ['walking', 6, 2],
    ]);
  });

  test('per frame every action is read in every frame, unless a number of samples is set', async () => {
    const exact: AnalysisSettings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', attributes: 'per-frame' };
    const actions = (chain: FakeChain): number => chain.calls.filter(({ stage }) => stage === 'action').length;
    const [every, third] = [new FakeChain(walker), new FakeChain(walker)];
    const all = await analyse(every, 12, { settings: { ...exact, actionEverySeconds: 60 } });
    await analyse(third, 12, { settings: { ...exact, actionEverySamples: 3 } });
    expect([actions(every), actions(third)]).toEqual([12, 4]);
    expect(all.frames.map(({ detections }) => detections[0]?.action)).toEqual(
      Array.from({ length: 12 }, (_, sample) => walker(sample)[0]?.action),
    );
  });
});

test('a video without people is an analysis without tracks', async () => {
  const progress: AnalysisProgress[] = [];
  const chain = new FakeChain(() => []);
  const analysis = await analyse(chain, 9, { onProgress: (step) => progress.push(step) });
  expect(analysis.tracks).toEqual([]);
  expect(analysis.events).toEqual([]);
  expect(analysis.frames).toHaveLength(9);
  expect(progress.map(({ framesDone }) => framesDone)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
  expect(progress.at(-1)).toMatchObject({ stage: 'finishing', percent: 99 });
  expect(progress.map(({ percent }) => percent)).toEqual(progress.map(({ percent }) => percent).sort((a, b) => a - b));
});

test('the second box on one person is a detection, but no second person', async () => {
  const chain = new FakeChain((sample) => [
    ...walker(sample),
    { box: [110 + sample * 60, 190, 220 + sample * 60, 480], score: 0.75 },
  ]);
  const analysis = await analyse(chain, 8);
  expect(analysis.tracks).toHaveLength(1);
  expect(
    analysis.frames[3]?.detections.filter(({ class: kind }) => kind === 'person').map(({ track }) => track),
  ).toEqual([1, null]);
});

test('frames overlap, results stay in order, and never more frames are held than allowed', async () => {
  const finished: number[] = [];
  const waiting = new Map<number, () => void>();
  const chain = new FakeChain(walker, {
    // Within each group of four the detections answer in reverse order.
    before: async (stage, sample) => {
      if (stage !== 'detection') return;
      finished.push(sample);
      if (sample % 4 !== 3) await new Promise<void>((resolve) => waiting.set(sample, resolve));
      else for (const other of [sample - 1, sample - 2, sample - 3]) waiting.get(other)?.();
    },
  });
  const analysis = await analyse(chain, 12, { settings: { ...settings, framesInFlight: 4 } });
  expect(finished).toHaveLength(12);
  expect(analysis.frames.map(({ index }) => index)).toEqual([0, 7, 14, 20, 27, 34, 40, 47, 54, 60, 67, 74]);
  expect(analysis.tracks).toHaveLength(1);
  expect(chain.mostOpen).toBe(4);
});

describe('every outcome gives the frames back', () => {
  test('an abort while the chain works rejects with the reason', async () => {
    const controller = new AbortController();
    const reason = new Interruption('lease-lost', 'the lease is gone');
    const chain = new FakeChain(walker, {
      before: async (stage, sample, signal) => {
        if (stage !== 'action' || sample !== 3) return;
        const { promise, reject } = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        controller.abort(reason);
        await promise;
      },
    });
    await expect(analyse(chain, 12, { signal: controller.signal })).rejects.toBe(reason);
    expect(chain.open.size).toBe(0);
  });

  test('an abort while the decoder is silent rejects at once', async () => {
    const controller = new AbortController();
    const reason = new Interruption('shutdown', 'stopping');
    async function* stuck(): AsyncGenerator<Frame> {
      yield* scriptedFrames(2);
      await new Promise(() => undefined);
    }
    const chain = new FakeChain(walker);
    const running = analyse(chain, 12, {
      frames: stuck(),
      signal: controller.signal,
      onProgress: ({ framesDone }) => {
        if (framesDone === 2) controller.abort(reason);
      },
    });
    await expect(running).rejects.toBe(reason);
    expect(chain.open.size).toBe(0);
  });

  test('a failing model fails the video and closes the decoder', async () => {
    const failure = new Failure('CUDA_ERROR', 'the kernel failed');
    let closed = false;
    async function* frames(): AsyncGenerator<Frame> {
      try {
        yield* scriptedFrames(1000);
      } finally {
        closed = true;
      }
    }
    const chain = new FakeChain(walker, {
      before: (stage, sample) => {
        if (stage === 'orientation' && sample === 5) throw failure;
      },
    });
    await expect(analyse(chain, 1000, { frames: frames() })).rejects.toBe(failure);
    expect(closed).toBe(true);
    expect(chain.open.size).toBe(0);
  });

  test('a chain that refuses a frame fails the video', async () => {
    const chain = new FakeChain(walker);
    const add = chain.addFrame.bind(chain);
    chain.addFrame = (frame) => {
      if (frame.sample === 3) throw new Failure('INFERENCE_THREAD_DIED', 'the thread is gone');
      return add(frame);
    };
    await expect(analyse(chain, 12)).rejects.toMatchObject({ code: 'INFERENCE_THREAD_DIED' });
    expect(chain.open.size).toBe(0);
  });

  test('a failing decoder fails the video', async () => {
    const failure = new Failure('VIDEO_DECODE_FAILED', 'moov atom not found');
    async function* frames(): AsyncGenerator<Frame> {
      yield* scriptedFrames(3);
      throw failure;
    }
    const chain = new FakeChain(walker);
    await expect(analyse(chain, 12, { frames: frames() })).rejects.toBe(failure);
    expect(chain.open.size).toBe(0);
  });
});

describe('scene texts', () => {
  const local: AnalysisSettings = { ...settings, scene: 'local', sceneEverySamples: 5 };

  test('come every so many sampled frames', async () => {
    const chain = new FakeChain(walker);
    const analysis = await analyse(chain, 12, { settings: local });
    expect(analysis.scenes).toEqual([
      { t: 0, frameIndex: 0, text: 'scene 0', source: 'local' },
      { t: 3.4, frameIndex: 34, text: 'scene 5', source: 'local' },
      { t: 6.7, frameIndex: 67, text: 'scene 10', source: 'local' },
    ]);
    expect(chain.open.size).toBe(0);
  });

  test('a failing one degrades the analysis, or fails it where it is required', async () => {
    const failing = (): FakeChain =>
      new FakeChain(walker, {
        before: (stage) => {
          if (stage === 'scene') throw new Failure('SCENE_FAILED', 'no words');
        },
      });
    const chain = failing();
    const analysis = await analyse(chain, 12, { settings: local });
    expect(analysis.degraded).toEqual([{ stage: 'scene', code: 'SCENE_FAILED', message: 'no words' }]);
    expect(analysis.tracks).toHaveLength(1);
    const strict = failing();
    await expect(analyse(strict, 12, { settings: { ...local, sceneRequired: true } })).rejects.toThrow('no words');
    expect([chain.open.size, strict.open.size]).toEqual([0, 0]);
  });
});

test('two persons who begin one action together get two highlight files', async () => {
  const chain = new FakeChain(() => [
    { box: [100, 200, 200, 500], action: 'grabbing' },
    { box: [700, 200, 800, 500], action: 'grabbing' },
  ]);
  const analysis = await analyse(chain, 3);
  expect(analysis.events.map(({ highlight }) => highlight?.key)).toEqual([
    'highlights/42/0.0s_grabbing.jpg',
    'highlights/42/0.0s_grabbing_2.jpg',
  ]);
  expect(await readdir(join(workspaceDir, 'highlights'))).toHaveLength(2);
});
