import { expect, test } from '@jest/globals';
import { planFaults } from '../../chaos/fault-plan.ts';
import { seededRandom } from '../../chaos/random.ts';
import { times } from '../../chaos/report.ts';

const plan = (seed: number, faults: number) => planFaults(seededRandom(seed), { faults, workers: 3, jobs: 200 });

test('a seed plans the same faults again, another seed others', () => {
  expect(plan(42, 100)).toEqual(plan(42, 100));
  expect(plan(43, 100)).not.toEqual(plan(42, 100));
});

test('the first twelve faults are one of each kind, at workers that there are', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const faults = plan(seed, 12).map(({ fault }) => fault);
    expect(new Set(faults.map(({ kind }) => kind)).size).toBe(12);
    for (const fault of faults) if ('slot' in fault) expect([0, 1, 2]).toContain(fault.slot);
  }
});

test('times are ranks of what was measured', () => {
  expect(times([])).toBeNull();
  expect(times([30, 10.4, 20])).toEqual({ p50: 20, p95: 30, max: 30, count: 3 });
  expect(times(Array.from({ length: 100 }, (_, index) => index + 1))).toEqual({
    p50: 50,
    p95: 95,
    max: 100,
    count: 100,
  });
});
