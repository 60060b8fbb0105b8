import { describe, expect, test } from '@jest/globals';
import {
  actionPace,
  createActionPlan,
  type ActionReason,
  type ActionSighting,
} from '../../../src/analysis/action-plan.ts';
import { CHANGE_LIMITS } from '../../../src/analysis/person-change.ts';
import { DEFAULT_ANALYSIS_SETTINGS, type AnalysisSettings } from '../../../src/analysis/settings.ts';
import type { Box } from '../../../src/vision/box.ts';
import { seededRandom } from '../../chaos/random.ts';

const SAMPLE = 1 / 1.5;
const box = (x: number, y: number, width: number, height: number): Box => ({
  x1: x,
  y1: y,
  x2: x + width,
  y2: y + height,
});
const person = box(300, 200, 100, 300);

function reasons(
  sightings: readonly Partial<ActionSighting>[],
  settings: Partial<AnalysisSettings> = {},
): (ActionReason | null)[] {
  const plan = createActionPlan(actionPace({ ...DEFAULT_ANALYSIS_SETTINGS, ...settings }));
  return sightings.map((sighting, sample) =>
    plan.decide({ t: sample * SAMPLE, box: person, orientation: { degrees: 90, score: 0.3 }, ...sighting }),
  );
}

const still = (samples: number): Partial<ActionSighting>[] => Array.from({ length: samples }, () => ({}));

describe('a person who does not change is read', () => {
  test('every two seconds of footage', () => {
    expect(reasons(still(7))).toEqual(['first', null, null, 'interval', null, null, 'interval']);
  });

  test('in an even rhythm, also where samples lie a little beside their places', () => {
    const times = [0, 0.7, 1.334, 1.967, 2.7, 3.3, 3.966];
    expect(reasons(times.map((t) => ({ t })))).toEqual(['first', null, null, 'interval', null, null, 'interval']);
  });

  test('after so many seconds, however many samples that are', () => {
    const fast = Array.from({ length: 25 }, (_, sample) => ({ t: sample / 12 }));
    const read = reasons(fast, { framesPerSecond: 12 }).flatMap((reason, sample) => (reason === null ? [] : [sample]));
    expect(read).toEqual([0, 24]);
  });

  test('in every sample where samples are further apart than the interval, or none is wanted', () => {
    const all = ['first', 'interval', 'interval', 'interval'];
    expect(
      reasons(
        [0, 4, 8, 12].map((t) => ({ t })),
        { framesPerSecond: 0.25 },
      ),
    ).toEqual(all);
    expect(reasons(still(4), { actionEverySeconds: 0 })).toEqual(all);
  });

  test('after a number of sightings, where that is set', () => {
    expect(reasons(still(5), { actionEverySamples: 2 })).toEqual(['first', null, 'interval', null, 'interval']);
  });

  test('at once when they come back after a while', () => {
    expect(reasons([{ t: 0 }, { t: 2.5 }])).toEqual(['first', 'interval']);
  });
});

describe('a person who changes is read in that very sample', () => {
  test('who falls, and who rises', () => {
    const lies = { box: box(200, 400, 300, 100) };
    expect(reasons([{}, lies, {}])).toEqual(['first', 'box', 'box']);
  });

  test('who sits down', () => {
    expect(reasons([{}, { box: box(300, 270, 100, 230) }])).toEqual(['first', 'box']);
  });

  test('who sets off, and who stops, but not while they walk on', () => {
    const places = [0, 0, 90, 180, 270, 270, 270].map((x) => ({ box: box(x, 200, 100, 300) }));
    expect(reasons(places, { actionEverySeconds: 60 })).toEqual(['first', null, 'motion', null, null, 'motion', null]);
  });

  test('whose box wavers is not one of them, at any rate of sampling', () => {
    const wavering = Array.from({ length: 24 }, (_, sample) => ({
      t: sample / 12,
      box: box(300 + (sample % 2) * 8, 200, 100 + (sample % 3) * 6, 300 - (sample % 2) * 6),
    }));
    expect(reasons(wavering, { framesPerSecond: 12 }).filter((reason) => reason !== null)).toEqual(['first']);
  });

  test('who turns: further, where the model is not sure of it', () => {
    const turned = (degrees: number, score: number) => ({ orientation: { degrees, score } });
    expect(reasons([turned(350, 0.3), turned(5, 0.3), turned(10, 0.3)])).toEqual(['first', null, 'pose']);
    expect(reasons([turned(90, 0.3), turned(120, 0.02), turned(125, 0.02)])).toEqual(['first', null, 'pose']);
  });
});

/** Somebody who wanders, turns, stoops and is out of sight, at any rate of sampling. */
function randomWalk(random: () => number, framesPerSecond: number): ActionSighting[] {
  const sightings: ActionSighting[] = [];
  let [t, x, width, height, degrees] = [random() * 100, 500, 100, 300, 180];
  for (let left = 80; left > 0; left -= 1) {
    t += (random() < 0.05 ? 1 + random() * 40 : 0.9 + random() * 0.2) / framesPerSecond;
    if (random() < 0.3) x += (random() - 0.5) * 300;
    if (random() < 0.1) [width, height] = [height, width];
    if (random() < 0.2) degrees = Math.floor(random() * 72) * 5;
    const score = random() < 0.2 ? 0.02 : 0.3;
    sightings.push({ t, box: box(x, 200, width, height), orientation: { degrees, score } });
  }
  return sightings;
}

describe('on random walks', () => {
  const walks = Array.from({ length: 300 }, (_, seed) => {
    const random = seededRandom(seed + 1);
    const framesPerSecond = [0.3, 1.5, 5, 12][seed % 4] ?? 1.5;
    const actionEverySeconds = [1, 2, 5][seed % 3] ?? 2;
    return { framesPerSecond, actionEverySeconds, sightings: randomWalk(random, framesPerSecond) };
  });

  test('no reading that holds is older than the interval', () => {
    for (const { sightings, ...settings } of walks) {
      let last = -Infinity;
      for (const [index, reason] of reasons(sightings, settings).entries()) {
        const t = sightings[index]?.t ?? 0;
        if (reason !== null) last = t;
        else expect(t - last).toBeLessThan(settings.actionEverySeconds);
      }
    }
  });

  test('a change beyond the limits forces a reading in that very sample', () => {
    let forced = 0;
    for (const { sightings, ...settings } of walks) {
      let last: ActionSighting | null = null;
      for (const [index, reason] of reasons(sightings, settings).entries()) {
        const now = sightings[index];
        if (now === undefined) continue;
        if (last !== null && clearlyDiffers(last, now)) {
          expect(reason).not.toBeNull();
          forced += 1;
        }
        if (reason !== null) last = now;
      }
    }
    expect(forced).toBeGreaterThan(1000);
  });

  test('per frame nobody is ever left out', () => {
    for (const { sightings, ...settings } of walks) {
      const exact = reasons(sightings, { ...settings, attributes: 'per-frame' });
      expect(exact).not.toContain(null);
    }
  });
});

/** The limits once more, in the plainest words. */
function clearlyDiffers(before: ActionSighting, now: ActionSighting): boolean {
  const [from, to] = [before.box, now.box];
  const height = (to.y2 - to.y1) / (from.y2 - from.y1);
  const width = (to.x2 - to.x1) / (from.x2 - from.x1);
  const a = before.orientation?.degrees ?? 0;
  const b = now.orientation?.degrees ?? 0;
  const turned = Math.min(Math.abs(a - b), 360 - Math.abs(a - b));
  return (
    Math.max(height, 1 / height) > Math.exp(CHANGE_LIMITS.height) ||
    Math.max(width, 1 / width) > Math.exp(CHANGE_LIMITS.width) ||
    turned > CHANGE_LIMITS.unsureDegrees
  );
}
