import { expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import { batchSizes } from '../../../src/inference/batch.ts';
import { FakeChain, scriptedFrames, scriptedVideo, type Script } from '../../harness/fake-chain.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { wholeFootage } from '../../harness/footage.ts';
import { HandClock } from '../../harness/hand-clock.ts';
import { SimulatedDevice } from '../../harness/simulated-device.ts';

const SAMPLES = 160;

/** Somebody far away, of whom nothing can be read before they have come a little closer. */
const comes: Script = (sample) =>
  sample < 6
    ? [{ box: [300, 200, 348, 350], orientation: 90 }]
    : [{ box: [300, 200, 352, 350], orientation: 90, age: 24 + sample }];

/** Five people who stand apart. */
const five: Script = () =>
  [0, 1, 2, 3, 4].map((person) => ({ box: [person * 200, 200, person * 200 + 100, 500], orientation: 90, age: 30 }));

const detection = { limit: 8, sizes: batchSizes(8), leastFull: 0.8 };
const people = { limit: 64, sizes: batchSizes(64), leastFull: 0 };

interface Seen {
  /** Frames in the chain at once. */
  readonly mostOpen: number;
  /** Items in the runs of a stage, in order. */
  readonly runs: (stage: string) => readonly number[];
  readonly analyses: readonly VideoAnalysis[];
}

/** Analyses so many videos at once with models that take their time, as on CUDA. */
async function analyse(
  videos: number,
  given: Partial<AnalysisSettings>,
  { script, samples }: { readonly script: Script; readonly samples: number } = { script: five, samples: SAMPLES },
): Promise<Seen> {
  const clock = new HandClock();
  const device = new SimulatedDevice(clock, {
    detection: { thread: 'detection', batching: detection, deviceMs: (rows) => 6 + 2 * rows },
    orientation: { thread: 'people', batching: people, deviceMs: (rows) => 10 + rows / 5 },
    ageGender: { thread: 'people', batching: people, deviceMs: (rows) => 6 + rows / 2.5 },
  });
  const chain = new FakeChain(script, { before: device.before });
  const info = scriptedVideo(samples);
  const settings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', ...given } as const;
  const started = Array.from({ length: videos }, (_, video) =>
    analyzeVideo(
      {
        videoId: String(video),
        info,
        frames: scriptedFrames(samples),
        footage: wholeFootage(info),
        workspaceDir: '/nowhere',
      },
      { chain, describer: null },
      settings,
      () => undefined,
      new AbortController().signal,
    ),
  );
  const all = Promise.all(started);
  await clock.until(all);
  return {
    analyses: await all,
    mostOpen: chain.mostOpen,
    runs: (stage) => device.runs.flatMap((run) => (run.stage === stage ? [run.items] : [])),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test.each(['analyse', 'reuse'] as const)(
  'all frames that may be under way are of one video where it is alone, and its batches are full: %s',
  async (stillPictures) => {
    const seen = await analyse(1, { framesInFlight: 32, stillPictures });
    expect(seen.mostOpen).toBe(32);
    expect(seen.runs('detection').slice(0, 4)).toEqual([8, 8, 8, 8]);
    expect(mean(seen.runs('detection'))).toBeGreaterThan(7);
    expect(Math.max(...seen.runs('orientation'))).toBe(64);
    expect(mean(seen.runs('orientation'))).toBeGreaterThan(40);
  },
);

test('eight videos of four frames fill the same batches', async () => {
  const seen = await analyse(8, { framesInFlight: 4 });
  expect(seen.mostOpen).toBe(32);
  expect(mean(seen.runs('detection'))).toBeGreaterThan(7);
  expect(mean(seen.runs('orientation'))).toBeGreaterThan(40);
});

test('four frames fill no batch', async () => {
  const seen = await analyse(1, { framesInFlight: 4 });
  expect(seen.mostOpen).toBe(4);
  expect(Math.max(...seen.runs('detection'))).toBe(4);
  expect(Math.max(...seen.runs('orientation'))).toBe(20);
});

test.each([1, 4, 32])(
  'who could not be read at first is read as soon as they can be: %i frames',
  async (framesInFlight) => {
    const { analyses, runs } = await analyse(1, { framesInFlight }, { script: comes, samples: 12 });
    expect(analyses[0]?.tracks.map(({ age, observations }) => [age, observations])).toEqual([[32.5, 12]]);
    expect(analyses[0]?.work?.ageGender).toEqual({ read: 6, leftOut: { notBestCrop: 6, stillPicture: 0 } });
    expect(runs('ageGender').reduce((sum, items) => sum + items, 0)).toBe(6);
  },
);
