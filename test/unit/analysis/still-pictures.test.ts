import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { Failure } from '../../../src/failure/failure.ts';
import {
  FakeChain,
  scriptedFrames,
  scriptedVideo,
  type FakeChainOptions,
  type Script,
} from '../../harness/fake-chain.ts';
import { wholeFootage } from '../../harness/footage.ts';

const settings: AnalysisSettings = { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', stillPictures: 'reuse' };

let workspaceDir: string;
beforeEach(async () => {
  workspaceDir = await mkdtemp(join(tmpdir(), 'still-'));
});
afterEach(async () => {
  await rm(workspaceDir, { recursive: true, force: true });
});

const stands: Script = () => [
  { box: [300, 200, 400, 500], face: [330, 210, 360, 240], action: 'standing', orientation: 90, age: 30 },
];

/** Stands until sample 12, then falls. */
const falls: Script = (sample) =>
  sample < 12 ? stands(sample) : [{ box: [200, 400, 500, 500], action: 'falling', orientation: 90, age: 30 }];

const sameUntil =
  (begin: number) =>
  (sample: number, other: number): number =>
    sample < begin === other < begin ? 2 : 60;

interface Run {
  readonly analysis: VideoAnalysis;
  readonly chain: FakeChain;
}

async function analyse(
  script: Script,
  samples: number,
  options: FakeChainOptions,
  given: Partial<AnalysisSettings> = {},
): Promise<Run> {
  const chain = new FakeChain(script, options);
  const info = scriptedVideo(samples);
  try {
    const analysis = await analyzeVideo(
      { videoId: '7', info, frames: scriptedFrames(samples), footage: wholeFootage(info), workspaceDir },
      { chain, describer: null },
      { ...settings, ...given },
      () => undefined,
      new AbortController().signal,
    );
    return { analysis, chain };
  } finally {
    expect(chain.open.size).toBe(0);
  }
}

const asked = ({ chain }: Run, stage: string): number[] =>
  chain.calls.flatMap((call) => (call.stage === stage ? [call.sample] : [])).toSorted((a, b) => a - b);

const found = ({ analysis }: Run) => ({ frames: analysis.frames, tracks: analysis.tracks, events: analysis.events });

test('a picture that does not change is analysed every ten seconds, and says the same as if it always were', async () => {
  const still = await analyse(stands, 40, { difference: () => 2 });
  expect(asked(still, 'detection')).toEqual([0, 15, 30]);
  expect(asked(still, 'orientation')).toEqual([0, 15, 30]);
  // What the first reading says is settled by a second one.
  expect(asked(still, 'action')).toEqual([0, 1, 15, 30]);
  expect(found(still)).toEqual(found(await analyse(stands, 40, {}, { stillPictures: 'analyse' })));
  expect(still.analysis.work).toMatchObject({
    detection: { read: 3, leftOut: { stillPicture: 37 } },
    ageGender: { read: 3, leftOut: { stillPicture: 37 } },
    orientation: { read: 3, leftOut: { stillPicture: 37 } },
    action: { read: 4, leftOut: { interval: 0, stillPicture: 36 }, because: { first: 1, unsure: 1, interval: 2 } },
  });
});

test('what changes is analysed in that very frame', async () => {
  const still = await analyse(falls, 24, { difference: sameUntil(12) });
  expect(asked(still, 'detection')).toEqual([0, 12]);
  expect(found(still)).toEqual(found(await analyse(falls, 24, {}, { stillPictures: 'analyse' })));
});

test.each([
  ['a reading in every sample', { actionEverySamples: 1 }],
  ['no interval', { actionEverySeconds: 0 }],
  ['samples that are further apart than the interval', { framesPerSecond: 0.5 }],
] as const)('with %s, what begins in a picture that then stays is an event too', async (_name, given) => {
  const collapses: Script = (sample) =>
    falls(sample).map((person) => (sample < 12 ? person : { ...person, action: 'collapse' }));
  const still = await analyse(collapses, 24, { difference: sameUntil(12) }, given);
  expect(asked(still, 'detection')).toEqual([0, 12]);
  const exact = await analyse(collapses, 24, {}, { ...given, stillPictures: 'analyse' });
  expect(exact.analysis.events.map(({ type }) => type)).toEqual(['standing', 'collapse']);
  expect(found(still)).toEqual(found(exact));
});

test('who stood in pictures that did not change was not away: their action holds when one does', async () => {
  const still = await analyse(stands, 12, { difference: sameUntil(8) }, { actionEverySeconds: 30 });
  expect(asked(still, 'detection')).toEqual([0, 8]);
  expect(asked(still, 'action')).toEqual([0, 1]);
});

test('who has a track only since a picture that has not changed is read in that picture', async () => {
  // Who stops short of where they were expected becomes somebody else to the tracker, one sample after the picture stands still.
  const stops: Script = (sample) => {
    const x = 500 - Math.min(sample, 3) * 110;
    return [{ box: [x, 200, x + 50, 325], action: sample < 3 ? 'walking' : 'standing', orientation: 90, age: 30 }];
  };
  const still = await analyse(stops, 12, { difference: (sample) => (sample > 3 ? 2 : 60) });
  const { tracks, frames } = still.analysis;
  expect(tracks.map(({ observations, age, mainAction }) => [observations, age, mainAction])).toEqual([
    [4, 30, 'walking'],
    [8, 30, 'standing'],
  ]);
  expect(frames.slice(4).map(({ detections: [person] }) => person?.orientation)).toEqual(Array(8).fill(90));
  expect(asked(still, 'detection')).toEqual([0, 1, 2, 3]);
  expect(still.analysis.work?.ageGender.read).toBe(asked(still, 'ageGender').length);
});

test('what changes slowly adds up: each frame is compared with the last one that was analysed', async () => {
  const drifts = await analyse(stands, 12, { difference: (sample, other) => (sample - other) * 2 });
  expect(asked(drifts, 'detection')).toEqual([0, 5, 10]);
});

test('unless it is asked for, and with exact attributes, no picture is compared', async () => {
  for (const given of [{ stillPictures: 'analyse' }, { attributes: 'per-frame' }] as const) {
    const run = await analyse(stands, 10, { difference: () => 0 }, given);
    expect(asked(run, 'difference')).toEqual([]);
    expect(asked(run, 'detection')).toHaveLength(10);
  }
});

test('the analysis tells whether pictures were taken over, and how often actions are read', async () => {
  const samplingOf = async (given: Partial<AnalysisSettings>) => {
    const { stillPictures, actionEvery } = (await analyse(stands, 2, {}, given)).analysis.sampling;
    return { stillPictures, actionEvery };
  };
  expect(await samplingOf({})).toEqual({ stillPictures: 'reuse', actionEvery: { seconds: 2 } });
  const exact = { stillPictures: 'analyse', actionEvery: { samples: 1 } };
  expect(await samplingOf({ attributes: 'per-frame' })).toEqual(exact);
  const sparse = { stillPictures: 'analyse', actionEverySamples: 3 } as const;
  expect(await samplingOf(sparse)).toEqual({ stillPictures: 'analyse', actionEvery: { samples: 3 } });
});

test('frames stay bounded: one more than are in flight', async () => {
  const { chain } = await analyse(stands, 40, { difference: sameUntil(20) }, { framesInFlight: 3 });
  expect(chain.mostOpen).toBeLessThanOrEqual(4);
});

test.each(['difference', 'detection'])('every frame is given back when %s fails', async (stage) => {
  const failure = new Failure('CUDA_ERROR', 'the kernel failed');
  const failing = analyse(falls, 24, {
    difference: sameUntil(12),
    before: (asking, sample) => {
      if (asking === stage && sample === 12) throw failure;
    },
  });
  await expect(failing).rejects.toBe(failure);
});
