import { expect, test } from '@jest/globals';
import { lengthRatios, numbers } from '../../bench/memory.ts';
import { ofAims } from '../../bench/start.ts';

const peak = (peakMiB: number) => ({ peakMiB, treePeakMiB: peakMiB + 100 });

test('lengths are compared where both were measured', () => {
  expect(lengthRatios({ '0.5': peak(200), '10': peak(210), '60': peak(231) })).toEqual({
    '10 min to 30 s': 1.05,
    '60 to 10 min': 1.1,
  });
  expect(lengthRatios({ '0.5': peak(200), '60': peak(231) })).toEqual({});
});

test('lists of lengths are numbers above 0', () => {
  expect(numbers('0.5,1,10')).toEqual([0.5, 1, 10]);
  expect(numbers('')).toEqual([]);
  expect(() => numbers('1,x')).toThrow(/"x" of "1,x"/);
});

test('a start is told in parts of its aim, warm', () => {
  const cost = (seconds: number) => ({ cpuSeconds: seconds, wallSeconds: seconds, peakMiB: 1, treePeakMiB: 1 });
  const costs = new Map([['--version', { warm: [cost(0.3), cost(0.3)] }]]);
  expect(ofAims(costs)).toEqual({ version: 2, analyze: null });
});
