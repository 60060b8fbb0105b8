import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { createSeenUntil } from '../../../src/analysis/seen-footage.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import type { VideoAnalysis } from '../../../src/analysis/video-analysis.ts';
import { seededRandom } from '../../chaos/random.ts';
import { FakeChain, scriptedFrames, scriptedVideo, type Script } from '../../harness/fake-chain.ts';
import { wholeFootage } from '../../harness/footage.ts';
import { sparseEvents } from '../../oracle/sparse-events.ts';

const SAMPLES = 60;
const FOOTAGE = wholeFootage(scriptedVideo(SAMPLES))();

let workspaceDir: string;
beforeEach(async () => {
  workspaceDir = await mkdtemp(join(tmpdir(), 'sparse-'));
});
afterEach(async () => {
  await rm(workspaceDir, { recursive: true, force: true });
});

async function perFrame(script: Script, actionEverySamples: number | null): Promise<VideoAnalysis> {
  const info = scriptedVideo(SAMPLES);
  return await analyzeVideo(
    { videoId: '7', info, frames: scriptedFrames(SAMPLES), footage: () => FOOTAGE, workspaceDir },
    { chain: new FakeChain(script), describer: null },
    { ...DEFAULT_ANALYSIS_SETTINGS, scene: 'off', attributes: 'per-frame', actionEverySamples },
    () => undefined,
    new AbortController().signal,
  );
}

/** Three people who do something for a while, are out of sight for a while, and move a little. */
function crowd(seed: number): Script {
  const random = seededRandom(seed);
  const people = [100, 500, 900].map((x) => {
    const acts: { readonly action: string; readonly isSeen: boolean; readonly x: number }[] = [];
    let [action, isSeen] = ['standing', true];
    while (acts.length < SAMPLES) {
      if (random() < 0.25) action = ['standing', 'walking', 'grabbing', 'none'][Math.floor(random() * 4)] ?? 'none';
      if (random() < (isSeen ? 0.08 : 0.35)) isSeen = !isSeen;
      acts.push({ action, isSeen, x: x + Math.floor(random() * 20) });
    }
    return acts;
  });
  return (sample) =>
    people.flatMap((acts) => {
      const { action, isSeen, x } = acts[sample] ?? { action: 'none', isSeen: false, x: 0 };
      return isSeen ? [{ box: [x, 200, x + 100, 500] as const, action, orientation: 90, age: 30 }] : [];
    });
}

/** What each person did in each frame, by the analysis that read them all. */
function readingsByTrack({ frames }: VideoAnalysis): Map<number, { readonly label: string; readonly t: number }[]> {
  const byTrack = new Map<number, { readonly label: string; readonly t: number }[]>();
  for (const { t, detections } of frames) {
    for (const { track, action } of detections) {
      if (track === null || action === null) continue;
      byTrack.set(track, [...(byTrack.get(track) ?? []), { label: action, t }]);
    }
  }
  return byTrack;
}

test.each([null, 2, 3, 4, 12])(
  'per frame, every %s samples: a reading stands for a period, and nothing holds',
  async (every) => {
    const seenUntil = createSeenUntil({
      times: Array.from({ length: SAMPLES }, (_, sample) => Math.ceil((sample * 20) / 3) / 10),
      footage: FOOTAGE,
      sampleSeconds: 1 / 1.5,
    });
    const rule = { period: (every ?? 1) / 1.5, minReadings: 2, maxGapSeconds: 2, seenUntil };
    let events = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      const everything = readingsByTrack(await perFrame(crowd(seed), null));
      const expected = [...everything].flatMap(([track, readings]) =>
        sparseEvents(
          readings.filter((_, sighting) => sighting % (every ?? 1) === 0),
          rule,
        ).flatMap((event) => (event[0] === 'none' ? [] : [[track, ...event].join(' ')])),
      );
      const analysis = await perFrame(crowd(seed), every);
      const found = analysis.events.map(({ track, type, startSeconds, durationSeconds }) =>
        [track, type, startSeconds, durationSeconds].join(' '),
      );
      expect(found.toSorted()).toEqual(expected.toSorted());
      events += found.length;
    }
    expect(events).toBeGreaterThan(every === 12 ? 5 : 50);
  },
);
