import { expect, test } from '@jest/globals';
import {
  comparedActions,
  middleCost,
  pairRatios,
  requireSameDetections,
  wallOfModelsAndDecoder,
} from '../../bench/chain-comparison.ts';
import type { ObservedDetection } from '../../../src/analysis/video-analysis.ts';

const BOX = [10.12, 20, 30.5, 40] as const;

function observed(over: Partial<ObservedDetection> = {}): ObservedDetection {
  return {
    track: 1,
    class: 'person',
    box: BOX,
    score: 0.8123,
    face: null,
    age: null,
    ageGroup: null,
    gender: null,
    genderScore: null,
    orientation: null,
    action: null,
    actionScore: null,
    zone: null,
    ...over,
  };
}

const ours = (...detections: ObservedDetection[]) => ({ frames: [{ index: 7, t: 0.7, detections, overlaps: [] }] });
const plain = (box: readonly [number, number, number, number], score: number, actions: string[] = [], index = 7) => ({
  frames: [
    {
      index,
      detections: [{ class: 'person', box, score }],
      persons: actions.map((action) => ({ action, orientation: 0 })),
    },
  ],
});

test('boxes are the same within half a step of what an analysis prints', () => {
  requireSameDetections(ours(observed()), plain([10.1249, 19.9951, 30.5, 40], 0.81234));
  expect(() => requireSameDetections(ours(observed()), plain([10.127, 20, 30.5, 40], 0.8123))).toThrow(
    /frame 7 differ/,
  );
  expect(() => requireSameDetections(ours(observed()), plain(BOX, 0.8125))).toThrow(/frame 7 differ/);
});

test('a box too many, another class and another frame are differences', () => {
  expect(() => requireSameDetections(ours(observed(), observed()), plain(BOX, 0.8123))).toThrow(/frame 7 differ/);
  expect(() => requireSameDetections(ours(observed({ class: 'face' })), plain(BOX, 0.8123))).toThrow(/frame 7 differ/);
  expect(() => requireSameDetections(ours(observed()), plain(BOX, 0.8123, [], 8))).toThrow(/is frame 7, and 8/);
  expect(() => requireSameDetections({ frames: [] }, plain(BOX, 0.8123))).toThrow(/0 sampled frames, and 1/);
});

test('actions are compared where both read the same persons', () => {
  const two = ours(observed({ action: 'walking' }), observed({ action: 'sitting' }), observed());
  expect(comparedActions(two, plain(BOX, 1, ['walking', 'paying']))).toEqual({ ours: 2, plain: 2, same: 1 });
  expect(comparedActions(two, plain(BOX, 1, ['walking']))).toEqual({ ours: 2, plain: 1, same: 0 });
});

test('ratios are made pair by pair, and their middle is taken', () => {
  const cost = (cpuSeconds: number) => ({ cpuSeconds, wallSeconds: 2, peakMiB: 100, treePeakMiB: 150 });
  const ratios = pairRatios([cost(1), cost(9), cost(3)], [cost(2), cost(3), cost(3)]);
  expect(ratios).toEqual({ cpu: 1, wall: 1, bestWall: 1, peak: 1, treePeak: 1 });
  expect(middleCost([cost(1), cost(9), cost(3)]).cpuSeconds).toBe(3);
});

test('the wall time is compared with the runs of all models and the waits for frames', () => {
  const stage = (runMs: number) => ({ runs: 1, items: 1, runMs, totalMs: runMs * 2 });
  const stages = {
    detection: stage(40),
    ageGender: stage(5),
    orientation: stage(5),
    action: stage(20),
    scene: stage(0),
  };
  expect(wallOfModelsAndDecoder({ totalMs: 110, decodeMs: 30, stages })).toBeCloseTo(1.1, 9);
});
