import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import type { KeyFrame } from '../../../src/analysis/key-frames.ts';
import type { SceneDescriber } from '../../../src/analysis/scene-writer.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { Failure, Interruption } from '../../../src/failure/failure.ts';
import { FakeChain, scriptedFrames, scriptedVideo } from '../../harness/fake-chain.ts';
import { wholeFootage } from '../../harness/footage.ts';

const settings: AnalysisSettings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'bedrock', sceneEverySamples: 2 };

let workspaceDir: string;
beforeEach(async () => {
  workspaceDir = await mkdtemp(join(tmpdir(), 'scene-'));
});
afterEach(async () => {
  await rm(workspaceDir, { recursive: true, force: true });
});

const nobody = (): FakeChain => new FakeChain(() => []);

/** A service that answers by the number of the call, counted over all videos. */
function service(answer: (call: number, signal: AbortSignal) => Promise<string> | string): SceneDescriber {
  let total = 0;
  return {
    source: 'bedrock',
    forVideo() {
      let calls = 0;
      return {
        async describe(_jpeg, signal) {
          total += 1;
          calls += 1;
          return answer(total, signal);
        },
        cost: () => ({ calls, inputTokens: calls * 10, outputTokens: calls, usd: 0 }),
      };
    },
  };
}

interface Options {
  readonly describer?: SceneDescriber | null;
  readonly changes?: Partial<AnalysisSettings>;
  readonly signal?: AbortSignal;
  readonly onKeyFrames?: (frames: readonly KeyFrame[]) => void;
}

function analyse(chain: FakeChain, samples: number, options: Options = {}): Promise<VideoAnalysis> {
  const { describer = null, changes = {}, onKeyFrames } = options;
  return analyzeVideo(
    {
      videoId: 'v',
      info: scriptedVideo(samples),
      frames: scriptedFrames(samples),
      footage: wholeFootage(scriptedVideo(samples)),
      workspaceDir,
    },
    { chain, describer, ...(onKeyFrames === undefined ? {} : { onKeyFrames }) },
    { ...settings, ...changes },
    () => undefined,
    options.signal ?? new AbortController().signal,
  );
}

describe('scene texts by a service', () => {
  test('are in time order, with what they cost for this video', async () => {
    const describer = service((call) => `text ${call}`);
    await analyse(nobody(), 4, { describer });
    const analysis = await analyse(nobody(), 6, { describer });
    expect(analysis.scenes.map(({ t, text, source }) => [t, text, source])).toEqual([
      [0, 'text 3', 'bedrock'],
      [1.4, 'text 4', 'bedrock'],
      [2.7, 'text 5', 'bedrock'],
    ]);
    expect(analysis.sceneCost).toEqual({ calls: 3, inputTokens: 30, outputTokens: 3, usd: 0 });
  });

  test('one failure costs one text, the same failure is recorded once, three in a row end the texts', async () => {
    const broken = (): never => {
      throw new Failure('THROTTLED', 'slow down');
    };
    const once = await analyse(nobody(), 8, { describer: service((call) => (call === 2 ? broken() : 'fine')) });
    expect(once.scenes).toHaveLength(3);
    const always = await analyse(nobody(), 20, { describer: service(broken) });
    expect(always.degraded).toEqual([{ stage: 'scene', code: 'THROTTLED', message: 'slow down' }]);
    expect(always.sceneCost?.calls).toBe(3);
  });

  test('without a client the analysis says so', async () => {
    const analysis = await analyse(nobody(), 2);
    expect(analysis.degraded).toMatchObject([{ stage: 'scene', code: 'SCENE_FAILED' }]);
    expect(analysis.sceneCost).toBeUndefined();
  });

  test('an abort while the service is silent rejects with the reason and gives the frames back', async () => {
    const controller = new AbortController();
    const reason = new Interruption('shutdown', 'stopping');
    const describer = service((_, signal) => {
      const { promise, reject } = Promise.withResolvers<string>();
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      controller.abort(reason);
      return promise;
    });
    const chain = nobody();
    await expect(analyse(chain, 6, { describer, signal: controller.signal })).rejects.toBe(reason);
    expect(chain.open.size).toBe(0);
  });

  test('a slow service holds a few frames, not the whole video', async () => {
    const chain = nobody();
    const slow = service(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return 'late';
    });
    const analysis = await analyse(chain, 60, { describer: slow, changes: { sceneEverySamples: 1 } });
    expect(analysis.scenes).toHaveLength(60);
    expect(chain.mostOpen).toBeLessThanOrEqual(settings.framesInFlight + 3);
  });
});

test('a lost GPU during a local text fails the video', async () => {
  const chain = new FakeChain(() => [], {
    before: (stage) => {
      if (stage === 'scene') throw new Failure('GPU_LOST', 'no answer');
    },
  });
  await expect(analyse(chain, 6, { changes: { scene: 'local' } })).rejects.toMatchObject({ code: 'GPU_LOST' });
  expect(chain.open.size).toBe(0);
});

test('key frames cover the video, each with the most persons of its stretch', async () => {
  const chain = new FakeChain((sample) =>
    Array.from({ length: [0, 1, 2, 1, 1, 0, 1, 1, 0, 0, 0, 0][sample] ?? 0 }, (_, person) => ({
      box: [100 + person * 400, 200, 200 + person * 400, 500] as const,
    })),
  );
  let kept: readonly KeyFrame[] = [];
  await analyse(chain, 12, {
    changes: { scene: 'off', keyFrames: 3 },
    onKeyFrames: (frames) => {
      kept = frames;
    },
  });
  expect(kept.map(({ frameIndex }) => frameIndex)).toEqual([14, 27]);
  expect(await readFile(kept[0]?.file ?? '', 'utf8')).toBe('jpeg of 2');
});
