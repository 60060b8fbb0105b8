import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { seededRandom } from '../../chaos/random.ts';
import {
  FakeChain,
  scriptedFrames,
  scriptedVideo,
  type FakeChainOptions,
  type Script,
} from '../../harness/fake-chain.ts';
import { wholeFootage } from '../../harness/footage.ts';

const settings: AnalysisSettings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off' };

let workspaceDir: string;
beforeEach(async () => {
  workspaceDir = await mkdtemp(join(tmpdir(), 'less-work-'));
});
afterEach(async () => {
  await rm(workspaceDir, { recursive: true, force: true });
});

async function analyse(
  script: Script,
  samples: number,
  given: Partial<AnalysisSettings> = {},
  options: FakeChainOptions = {},
): Promise<{ readonly analysis: VideoAnalysis; readonly chain: FakeChain; readonly read: readonly number[] }> {
  const chain = new FakeChain(script, options);
  const info = scriptedVideo(samples);
  const analysis = await analyzeVideo(
    { videoId: '7', info, frames: scriptedFrames(samples), footage: wholeFootage(info), workspaceDir },
    { chain, describer: null },
    { ...settings, ...given },
    () => undefined,
    new AbortController().signal,
  );
  expect(chain.open.size).toBe(0);
  const read = chain.calls.filter(({ stage }) => stage === 'action').map(({ sample }) => sample);
  return { analysis, chain, read: read.toSorted((a, b) => a - b) };
}

const spansOf = ({ events }: VideoAnalysis): unknown[] =>
  events.map(({ type, startSeconds, durationSeconds }) => [type, startSeconds, durationSeconds]);

/** Stands, falls in the frame of sample 8, and lies. */
const falls: Script = (sample) => [
  sample < 8
    ? { box: [300, 200, 400, 500], action: 'standing', orientation: 90, age: 30 }
    : { box: [200, 400, 500, 500], action: 'falling', orientation: 90, age: 30 },
];

test('a fall begins in the very frame in which it does, and few others are read', async () => {
  const { analysis, read } = await analyse(falls, 16);
  expect(read).toEqual([0, 1, 3, 6, 8, 9, 12, 15]);
  expect(spansOf(analysis)).toEqual(spansOf((await analyse(falls, 16, { actionEverySeconds: 0 })).analysis));
  expect(analysis.events[1]).toMatchObject({ type: 'falling', frameIndex: 54, startSeconds: 5.4 });
});

test('who turns is read in the very frame, by the orientation of that frame', async () => {
  const turns: Script = (sample) => [
    { box: [300, 200, 400, 500], orientation: sample < 5 ? 90 : 200, action: sample < 5 ? 'standing' : 'grabbing' },
  ];
  const { analysis, read } = await analyse(turns, 9);
  expect(read).toEqual([0, 1, 3, 5, 6]);
  expect(analysis.events[1]).toMatchObject({ type: 'grabbing', startSeconds: 3.4 });
});

test('an action that nothing shows begins and ends late by less than the interval', async () => {
  for (let begin = 3; begin < 9; begin += 1) {
    const hidden: Script = (sample) => [
      { box: [300, 200, 400, 500], action: sample >= begin && sample < begin + 6 ? 'grabbing' : 'standing' },
    ];
    const less = (await analyse(hidden, 20)).analysis.events;
    const exact = (await analyse(hidden, 20, { actionEverySeconds: 0 })).analysis.events;
    expect(less.map(({ type }) => type)).toEqual(exact.map(({ type }) => type));
    for (const [index, { startSeconds, durationSeconds }] of less.entries()) {
      const late = startSeconds - (exact[index]?.startSeconds ?? 0);
      const end =
        startSeconds + durationSeconds - (exact[index]?.startSeconds ?? 0) - (exact[index]?.durationSeconds ?? 0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(settings.actionEverySeconds);
      expect(end).toBeGreaterThanOrEqual(-0.001);
      expect(end).toBeLessThan(settings.actionEverySeconds);
    }
  }
});

test('a person who is gone does nothing any more, though the last reading was young', async () => {
  const leaves: Script = (sample) => (sample < 8 ? [{ box: [300, 200, 400, 500], action: 'standing' }] : []);
  const { analysis } = await analyse(leaves, 16);
  expect(spansOf(analysis)).toEqual([['standing', 0, 5.367]]);
});

test.each([
  ['ten seconds', { actionEverySeconds: 10 }],
  ['thirty seconds', { actionEverySeconds: 30 }],
  ['twelve samples', { actionEverySamples: 12 }],
] as const)(
  'who comes back after a while does something again from then on, with an interval of %s',
  async (_, given) => {
    const returns: Script = (sample) =>
      sample >= 6 && sample < 9 ? [] : [{ box: [300, 200, 400, 500], action: 'standing' }];
    const { analysis, read } = await analyse(returns, 24, given);
    expect(spansOf(analysis)).toEqual(spansOf((await analyse(returns, 24, { actionEverySeconds: 0 })).analysis));
    expect(analysis.events).toHaveLength(2);
    expect(read).toContain(9);
    expect(read.length).toBeLessThan(8);
  },
);

test('who is away for less than an event may pause has no need of a reading', async () => {
  const looksAway: Script = (sample) => (sample === 6 ? [] : [{ box: [300, 200, 400, 500], action: 'standing' }]);
  const { analysis, read } = await analyse(looksAway, 20, { actionEverySeconds: 30 });
  expect(read).toEqual([0, 1]);
  expect(analysis.events).toHaveLength(1);
});

/** Three people who wander, turn, and do something else now and then. */
function crowd(seed: number): Script {
  const random = seededRandom(seed);
  const samples = Array.from({ length: 40 }, () => [random(), random(), random(), random()]);
  return (sample) =>
    [100, 500, 900].map((x, person) => {
      const [move = 0, turn = 0, act = 0, stoop = 0] = samples[(sample + person * 7) % samples.length] ?? [];
      return {
        box: [x + move * 60, stoop < 0.1 ? 350 : 200, x + 100 + move * 60, 500],
        orientation: turn < 0.2 ? 90 : 180,
        action: ['standing', 'walking', 'grabbing'][Math.floor(act * act * 3)] ?? 'none',
        age: 30 + person,
      };
    });
}

/** The same, with nothing to read of many of their crops, and of a run of them at first. */
function halfHidden(seed: number): Script {
  const random = seededRandom(seed);
  const hidden = Array.from({ length: 40 }, (_, sample) => sample < 8 || random() < 0.6);
  return (sample) =>
    crowd(seed)(sample).map(({ age = 0, ...person }, index) =>
      hidden[(sample + index * 5) % hidden.length] === true ? person : { ...person, age: age + (sample % 13) },
    );
}

test.each([
  ['every crop can be read', crowd],
  ['many cannot', halfHidden],
])('is the same whichever model answers first, and however many frames are under way: %s', async (_, people) => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const patient = await analyse(people(seed), 40, { framesInFlight: 1 });
    for (const framesInFlight of [4, 32]) {
      const random = seededRandom(seed);
      const hurried = await analyse(
        people(seed),
        40,
        { framesInFlight },
        {
          before: async () => {
            for (let turns = Math.floor(random() * 40); turns > 0; turns -= 1) await Promise.resolve();
          },
        },
      );
      expect(hurried.read).toEqual(patient.read);
      expect({ ...hurried.analysis, timings: null }).toEqual({ ...patient.analysis, timings: null });
    }
  }
});

test('the counts say what was read, and why, and what was left out', async () => {
  const { analysis, read } = await analyse(falls, 16);
  expect(analysis.work).toEqual({
    detection: { read: 16, leftOut: { stillPicture: 0 } },
    ageGender: { read: 6, leftOut: { notBestCrop: 10, stillPicture: 0 } },
    orientation: { read: 16, leftOut: { stillPicture: 0 } },
    action: {
      read: read.length,
      leftOut: { interval: 16 - read.length, stillPicture: 0 },
      because: { first: 1, interval: 5, box: 1, motion: 0, pose: 0, unsure: 1 },
    },
  });
});

test('per frame nothing is left out', async () => {
  const { analysis } = await analyse(crowd(3), 20, { attributes: 'per-frame' });
  for (const { leftOut } of Object.values(analysis.work ?? {})) {
    expect(Object.values(leftOut).every((count) => count === 0)).toBe(true);
  }
  expect(analysis.work?.action.read).toBe(60);
});

test('all who stand there are due in the same frames, whenever they came', async () => {
  const come: Script = (sample) =>
    [100, 400, 700]
      .filter((_, person) => sample >= person)
      .map((x) => ({ box: [x, 200, x + 100, 500], action: 'standing' }));
  const { chain } = await analyse(come, 16);
  const items = chain.calls.filter(({ stage, sample }) => stage === 'action' && sample > 4);
  expect(items.map(({ sample, items: persons }) => [sample, persons])).toEqual([
    [6, 3],
    [9, 3],
    [12, 3],
    [15, 3],
  ]);
});
