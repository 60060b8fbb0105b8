import { expect, test } from '@jest/globals';
import { patientSlot, planFaults } from '../../chaos/fault-plan.ts';
import { receivesOfSeed } from '../../chaos/options.ts';
import { seededRandom } from '../../chaos/random.ts';
import { times } from '../../chaos/report.ts';

const plan = (seed: number, faults: number, form: 'short' | 'full' = 'short') =>
  planFaults(seededRandom(seed), { faults, workers: 3, jobs: 200, form });

test('a seed plans the same faults again, another seed others', () => {
  expect(plan(42, 100)).toEqual(plan(42, 100));
  expect(plan(43, 100)).not.toEqual(plan(42, 100));
});

test('the first sixteen faults are one of each kind, at workers that there are', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const faults = plan(seed, 16).map(({ fault }) => fault);
    expect(new Set(faults.map(({ kind }) => kind)).size).toBe(16);
    for (const fault of faults) if ('slot' in fault) expect([0, 1, 2]).toContain(fault.slot);
  }
});

test('the full form has pauses of a minute and more at the worker whose lease outlives them, and nothing there that ends a lease', () => {
  expect(patientSlot({ form: 'short', workers: 3 })).toBeNull();
  expect(patientSlot({ form: 'full', workers: 1 })).toBeNull();
  const faults = plan(7, 200, 'full').map(({ fault }) => fault);
  const long = faults.filter((fault) => fault.kind === 'long-freeze');
  expect(long.length).toBeGreaterThan(0);
  for (const { slot, ms } of long) {
    expect(slot).toBe(2);
    expect(ms).toBeGreaterThanOrEqual(60_000);
  }
  const ends = faults.filter(({ kind }) => kind === 'kill' || kind === 'freeze');
  for (const fault of ends) if ('slot' in fault) expect(fault.slot).not.toBe(2);
});

test('every other seed has a redrive policy of five receives', () => {
  expect([42, 43, 44, 45].map(receivesOfSeed)).toEqual([100, 5, 100, 5]);
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
