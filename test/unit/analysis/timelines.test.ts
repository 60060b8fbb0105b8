import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { analyzeVideo, type AnalysisProgress } from '../../../src/analysis/analyze-video.ts';
import type { KeyFrame } from '../../../src/analysis/key-frames.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import type { Footage } from '../../../src/video/footage.ts';
import type { Frame } from '../../../src/video/frame.ts';
import { seededRandom } from '../../chaos/random.ts';
import { FakeChain, scriptedVideo, type Script } from '../../harness/fake-chain.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

/** Scripted actions change without a sign of it: everybody is read in every sample. */
const settings: AnalysisSettings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', actionEverySeconds: 0 };
const PERIOD = 1 / settings.framesPerSecond;
/** Times are stored in milliseconds. */
const ROUNDING = 0.002;

let workspaceDir: string;
beforeEach(async () => {
  workspaceDir = await mkdtemp(join(tmpdir(), 'timeline-'));
});
afterEach(async () => {
  await rm(workspaceDir, { recursive: true, force: true });
});

/** Somebody who stands still and does something else every few samples. */
const resident: Script = (sample) => [
  { box: [300, 200, 400, 500], action: ['walking', 'grabbing', 'standing'][Math.floor(sample / 5) % 3] ?? 'none' },
];

async function* framesAt(times: readonly number[]): AsyncGenerator<Frame> {
  for (const [sample, t] of times.entries()) {
    yield sharedFrame({ sample, index: sample * 7, t, width: 1280, height: 720 });
  }
}

interface Timeline {
  readonly times: readonly number[];
  readonly promisedSeconds?: number;
  readonly footage?: Partial<Footage>;
  readonly settings?: Partial<AnalysisSettings>;
}

interface Seen {
  readonly analysis: VideoAnalysis;
  readonly progress: readonly AnalysisProgress[];
  readonly keyFrames: readonly KeyFrame[];
}

async function analyse(timeline: Timeline, script = resident): Promise<Seen> {
  const { times } = timeline;
  const end = (times.at(-1) ?? 0) + 0.1;
  const progress: AnalysisProgress[] = [];
  let keyFrames: readonly KeyFrame[] = [];
  const analysis = await analyzeVideo(
    {
      videoId: '1',
      info: { ...scriptedVideo(1), durationSeconds: timeline.promisedSeconds ?? end },
      frames: framesAt(times),
      footage: () => ({
        durationSeconds: end,
        decodedFrames: times.length,
        missing: [],
        decode: 'exact',
        ...timeline.footage,
      }),
      workspaceDir,
    },
    {
      chain: new FakeChain(script),
      describer: null,
      onKeyFrames: (kept) => {
        keyFrames = kept;
      },
    },
    { ...settings, ...timeline.settings },
    (step) => progress.push(step),
    new AbortController().signal,
  );
  return { analysis, progress, keyFrames };
}

const even = (from: number, samples: number): number[] =>
  Array.from({ length: samples }, (_, sample) => from + sample * PERIOD);

/** A timeline of the kinds that recordings have: late begins, silences of minutes, steps of any length. */
function randomTimes(random: () => number): number[] {
  const times: number[] = [];
  let t = random() < 0.5 ? 0 : random() * 3000;
  for (let left = 5 + Math.floor(random() * 60); left > 0; left -= 1) {
    times.push(t);
    const kind = random();
    if (kind < 0.7) t += PERIOD;
    else if (kind < 0.8) t += 0.000_001;
    else if (kind < 0.9) t += random() * 4;
    else t += random() * 4000;
  }
  return times;
}

/** Seconds of [from, to] that lie further from every sampled frame before them than an event may bridge or go on. */
function unseen(times: readonly number[], from: number, to: number): number {
  const longest = settings.events.maxGapSeconds;
  return times.reduce((sum, t, index) => {
    const next = times[index + 1] ?? Infinity;
    if (next - t <= longest) return sum;
    return sum + Math.max(0, Math.min(to, next) - Math.max(from + ROUNDING, t + PERIOD + ROUNDING));
  }, 0);
}

describe('whatever the times of the frames', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))('nothing ends before it begins (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const times = randomTimes(random);
    const promisedSeconds = [0, 1, 1e7, times.at(-1) ?? 0][seed % 4] ?? 0;
    const everySamples = 1 + (seed % 4);
    const { analysis } = await analyse({ times, promisedSeconds, settings: { actionEverySamples: everySamples } });
    for (const { startSeconds, endSeconds } of analysis.tracks) expect(endSeconds).toBeGreaterThanOrEqual(startSeconds);
    for (const { startSeconds, durationSeconds } of analysis.events) {
      expect(durationSeconds).toBeGreaterThanOrEqual(0);
      expect(startSeconds).toBeGreaterThanOrEqual((times[0] ?? 0) - 0.001);
      expect(startSeconds + durationSeconds).toBeLessThanOrEqual((times.at(-1) ?? 0) + 0.102);
      if (everySamples === 1) expect(unseen(times, startSeconds, startSeconds + durationSeconds)).toBe(0);
    }
  });

  test('also those that step back leave findings that can be stored', async () => {
    const random = seededRandom(7);
    const times = Array.from({ length: 60 }, () => random() * 5);
    const { analysis } = await analyse({ times });
    expect(analysis.tracks.length).toBeGreaterThan(0);
    for (const { startSeconds, endSeconds } of analysis.tracks) expect(endSeconds).toBeGreaterThanOrEqual(startSeconds);
    for (const { durationSeconds } of analysis.events) expect(durationSeconds).toBeGreaterThanOrEqual(0);
  });

  test('a video that begins at 12 s has its person and events from 12 s on', async () => {
    const { analysis } = await analyse({ times: even(12, 5) });
    expect(analysis.tracks[0]).toMatchObject({ startSeconds: 12, endSeconds: 14.667 });
    expect(analysis.events.map(({ type, startSeconds }) => [type, startSeconds])).toEqual([['walking', 12]]);
  });

  test('a silence of minutes ends an event and a person', async () => {
    const stands: Script = () => [{ box: [300, 200, 400, 500], action: 'standing' }];
    const { analysis } = await analyse({ times: [...even(0, 6), ...even(300, 6)] }, stands);
    expect(analysis.events.map(({ startSeconds, durationSeconds }) => [startSeconds, durationSeconds])).toEqual([
      [0, 4],
      [300, 3.433],
    ]);
    expect(analysis.tracks).toHaveLength(2);
  });

  test('a reading that stands for several samples does not reach into a silence or a missing stretch', async () => {
    const stands: Script = () => [{ box: [300, 200, 400, 500], action: 'standing' }];
    const rarely = { actionEverySamples: 6 };
    const silent = await analyse({ times: [...even(0, 8), ...even(300, 8)], settings: rarely }, stands);
    expect(silent.analysis.events[0]).toMatchObject({ startSeconds: 0, durationSeconds: 5.333 });
    const missing = [{ fromSeconds: 5, toSeconds: 9, why: 'it is damaged' }];
    const torn = await analyse(
      { times: even(0, 8), footage: { durationSeconds: 9, missing }, settings: rarely },
      stands,
    );
    expect(torn.analysis.events[0]).toMatchObject({ startSeconds: 0, durationSeconds: 5 });
  });

  test('footage that is slower than the sampling has no silence between its frames', async () => {
    const slow = { framesPerSecond: 30, actionEverySamples: 3 };
    const leaves: Script = (n) => [{ box: [300, 200, 400, 500], action: n < 10 ? 'standing' : 'walking' }];
    const times = Array.from({ length: 20 }, (_, frame) => frame * 0.2);
    const { analysis } = await analyse({ times, footage: { durationSeconds: 4 }, settings: slow }, leaves);
    // The reading of the frame at 1.8 s holds until the next one, at 2.4 s.
    expect(analysis.events[0]).toMatchObject({ type: 'standing', startSeconds: 0, durationSeconds: 2.233 });
  });

  test('actions that are read rarely are events, too', async () => {
    const stands: Script = () => [{ box: [300, 200, 400, 500], action: 'standing' }];
    const { analysis } = await analyse({ times: even(0, 20), settings: { actionEverySamples: 5 } }, stands);
    expect(analysis.events.map(({ type, startSeconds }) => [type, startSeconds])).toEqual([['standing', 0]]);
  });
});

describe('what the video turned out to be', () => {
  test('is its length, whatever the file promised', async () => {
    const { analysis } = await analyse({
      times: even(0, 6),
      promisedSeconds: 3,
      footage: { durationSeconds: 4.2 },
    });
    expect(analysis.video.durationSeconds).toBe(4.2);
    expect(analysis.events[0]?.durationSeconds).toBeCloseTo(3.333, 3);
  });

  test('names each stretch that is missing, before what else it goes without', async () => {
    const missing = [
      { fromSeconds: 65.25, toSeconds: 70, why: 'the file is damaged there' },
      { fromSeconds: 90, toSeconds: null, why: 'the file ends there' },
    ];
    const { analysis } = await analyse({ times: even(0, 6), footage: { missing } });
    expect(analysis.degraded).toEqual([
      {
        stage: 'decode',
        code: 'FOOTAGE_MISSING',
        message: 'no frame came from 1:05.3 to 1:10.0 (4.8 s): the file is damaged there',
        fromSeconds: 65.25,
        toSeconds: 70,
      },
      {
        stage: 'decode',
        code: 'FOOTAGE_MISSING',
        message: 'no frame came from 1:30.0 on: the file ends there',
        fromSeconds: 90,
        toSeconds: null,
      },
    ]);
  });

  test('holes by the hundred are told in few words', async () => {
    const missing = Array.from({ length: 400 }, (_, hole) => ({
      fromSeconds: hole * 3,
      toSeconds: hole * 3 + 1,
      why: 'lost on the way',
    }));
    const { degraded } = (await analyse({ times: even(0, 6), footage: { missing } })).analysis;
    expect(degraded).toHaveLength(50);
    expect(degraded.at(-1)).toEqual({
      stage: 'decode',
      code: 'FOOTAGE_MISSING',
      message: '351 further stretches without a frame from 2:27.0 to 19:58.0 (1051.0 s); the first: lost on the way',
      fromSeconds: 147,
      toSeconds: 1198,
    });
  });
});

describe('progress', () => {
  const times = even(0, 60);

  test.each([
    ['a right promise', 40],
    ['none', 0],
    ['a promise that is far too short', 2],
    ['a promise that is far too long', 1e6],
  ])('with %s never goes back and never says that it is over', async (_what, promisedSeconds) => {
    const { progress } = await analyse({ times, promisedSeconds });
    const percents = progress.map(({ percent }) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(Math.max(...percents)).toBe(99);
    for (const { framesDone, framesExpected } of progress) expect(framesExpected).toBeGreaterThanOrEqual(framesDone);
  });

  test('goes by the time where the footage has silences', async () => {
    const { progress } = await analyse({
      times: [...even(0, 6), ...even(300, 6), ...even(396, 6)],
      promisedSeconds: 400,
    });
    const at = (frame: number) => progress[frame - 1];
    expect(at(6)).toMatchObject({ percent: 0, framesExpected: 600 });
    expect(at(7)).toMatchObject({ percent: 74, framesExpected: 10 });
    expect(at(18)).toMatchObject({ percent: 98, framesExpected: 19 });
  });

  test('does not guess when it will be over once more has come than was promised', async () => {
    const { progress } = await analyse({ times, promisedSeconds: 2 });
    expect(progress[5]).toMatchObject({ framesDone: 6, framesExpected: 6, etaSeconds: null });
  });
});

describe('key frames', () => {
  const times = even(0, 400);
  const last = times.at(-1) ?? 0;
  const crowd: Script = (sample) =>
    Array.from({ length: 1 + (sample % 3) }, (_, place) => ({
      box: [100 + 300 * place, 200, 200 + 300 * place, 500] as const,
    }));

  test.each([
    ['a right promise', last],
    ['none', 0],
    ['a promise that is far too short', 2],
    ['a promise that is a little too short', last * 0.7],
    ['a promise that is far too long', 1e6],
  ])('with %s show the whole video', async (_what, promisedSeconds) => {
    const { keyFrames } = await analyse({ times, promisedSeconds, settings: { keyFrames: 8 } }, crowd);
    expect(keyFrames.map(({ t }) => Math.floor((t / last) * 8))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const files = await readdir(join(workspaceDir, 'key-frames'));
    for (const { frameIndex } of keyFrames) expect(files).toContain(`${frameIndex}.jpg`);
    expect(files.length).toBeLessThanOrEqual(8 * 4);
  });

  test('with a right promise are the first of each stretch with the most persons', async () => {
    const busy: Script = (sample) =>
      crowd(sample % 50 === 30 || sample % 50 === 40 ? 2 : 0).map((person) => ({ ...person, score: 0.9 }));
    const { keyFrames } = await analyse(
      { times, promisedSeconds: 400 * PERIOD, footage: { durationSeconds: 400 * PERIOD }, settings: { keyFrames: 8 } },
      busy,
    );
    expect(keyFrames.map(({ frameIndex }) => frameIndex / 7)).toEqual([30, 80, 130, 180, 230, 280, 330, 380]);
  });

  test('are as many as are wanted and not more, also of a short video', async () => {
    const { keyFrames } = await analyse({ times: even(12, 3), settings: { keyFrames: 8 } }, crowd);
    expect(keyFrames.length).toBeGreaterThan(0);
    expect(keyFrames.length).toBeLessThanOrEqual(3);
  });
});
