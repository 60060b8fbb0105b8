import { expect } from '@jest/globals';
import type { Counts } from '../../bench/gpu-kit/null-cuda/counts.ts';
import { runOnStandIns, standInTest } from './on-stand-ins.ts';
import { useTinyPack } from './tiny-pack.ts';

/** One run of a stage on a batch; `runs` are the session's. */
interface CountedRun extends Counts {
  readonly stage: string;
  readonly batch: number;
  readonly runs: number;
  /** What the detector finds in a frame, before the suppression. */
  readonly candidates?: number;
}

const COLUMNS = [
  'runs',
  'launches',
  'products',
  'convolutions',
  'otherCalls',
  'toGpu',
  'toGpuBytes',
  'toHost',
  'toHostBytes',
  'insideGpu',
  'insideGpuBytes',
  'fills',
  'waits',
  'allocations',
] as const;

/**
 * The most that one run of a stage of the prepared pack in fp16 may ask of the GPU: what was counted with ONNX Runtime 1.30 and an export by
 * PyTorch 1.13, and so a ratchet. One copy, one wait, one allocation or one byte more fails here; what asks for less is written down. Most uploads are
 * of a few bytes, which the kernels of Concat, Split and Transpose inside the official models make in memory that the GPU reads by itself. The bytes of
 * `actionSteps`, as a pack without the one graph runs it, are its cache, which goes to the host and back.
 */
const MOST: readonly (readonly [stage: string, batch: number, most: readonly number[]])[] = [
  ['detection', 1, [1, 157, 0, 63, 69, 25, 2168796, 3, 1924, 2, 67200, 1, 2, 0]],
  ['detection', 8, [1, 161, 0, 63, 67, 25, 16683996, 3, 15364, 0, 0, 1, 2, 0]],
  ['ageGender', 1, [1, 181, 51, 13, 13, 33, 275371, 1, 12, 13, 88208, 1, 2, 0]],
  ['ageGender', 8, [1, 185, 51, 13, 13, 45, 2166603, 1, 96, 9, 453760, 1, 2, 0]],
  ['orientation', 1, [1, 121, 2, 55, 58, 4, 571155, 1, 8, 0, 0, 3, 2, 0]],
  ['orientation', 8, [1, 121, 2, 55, 58, 4, 5679027, 1, 64, 0, 0, 2, 2, 0]],
  ['visionEncoder', 1, [1, 123, 10, 34, 37, 5, 221184, 1, 4096, 4, 208896, 0, 2, 0]],
  ['visionEncoder', 8, [1, 126, 10, 34, 35, 5, 1769472, 1, 32768, 3, 98304, 0, 2, 0]],
  ['prefill', 1, [1, 91, 19, 0, 0, 23, 40496, 5, 38144, 4, 4936, 0, 2, 0]],
  ['prefill', 8, [1, 92, 19, 0, 0, 23, 292832, 5, 305152, 3, 30888, 0, 2, 0]],
  ['action', 1, [1, 322, 48, 34, 37, 45, 231280, 1, 28, 27, 255672, 0, 2, 0]],
  ['action', 8, [1, 326, 48, 34, 35, 45, 1779568, 1, 224, 18, 204464, 0, 2, 0]],
  ['actionSteps', 1, [3, 297, 48, 34, 37, 51, 478464, 11, 272640, 20, 223248, 0, 6, 0]],
  ['actionSteps', 8, [5, 467, 86, 34, 35, 97, 3774176, 21, 2181120, 42, 204480, 0, 10, 0]],
];

/** In no run of a batch size that was seen: a convolution planned, the whole GPU awaited, pinned memory taken. */
const NEVER = ['plans', 'deviceWaits', 'pinned'] as const;

const COUNT = 'test/bench/gpu-kit/null-cuda/count.ts';
const pack = useTinyPack();

standInTest('a run asks of the GPU what it has to', async () => {
  const { lines } = await runOnStandIns<CountedRun>(COUNT, [pack().prepared, '1,8']);
  const counted = lines.filter(({ batch }) => batch !== undefined);
  expect(counted.map(({ stage, batch }) => [stage, batch])).toEqual(MOST.map(([stage, batch]) => [stage, batch]));
  const over = MOST.flatMap(([stage, batch, most], i) => {
    const run = counted[i];
    const bounds = [
      ...COLUMNS.map((name, column) => [name, most[column]] as const),
      ...NEVER.map((name) => [name, 0] as const),
    ];
    // What is not counted is no less than a bound.
    return bounds.flatMap(([name, bound]) =>
      run !== undefined && bound !== undefined && run[name] <= bound
        ? []
        : [`${stage} of ${batch}: ${name} ${run?.[name]}, at most ${bound}`],
    );
  });
  expect(over).toEqual([]);
  // Else the detection's counts would be those of an empty street.
  expect(counted.map(({ candidates }) => candidates)).toEqual([60, 60, ...MOST.slice(2).map(() => undefined)]);
  // What counts nothing exceeds nothing.
  for (const { launches, products, toGpuBytes } of counted) {
    expect(launches + products).toBeGreaterThan(80);
    expect(toGpuBytes).toBeGreaterThan(0);
  }
});

standInTest('a batch size that was seen plans no convolution again', async () => {
  const stages = ['detection', 'ageGender', 'orientation', 'visionEncoder'];
  const { lines } = await runOnStandIns<{
    readonly stage: string;
    readonly candidates?: number;
    readonly inTurn?: readonly { readonly batch: number; readonly plans: number; readonly convolutions: number }[];
  }>(COUNT, [pack().raw, '1', stages.join(',')]);
  const inTurn = lines.flatMap((line) => line.inTurn ?? []);
  expect(lines.flatMap(({ candidates }) => candidates ?? [])).toEqual([60]);
  expect(inTurn.map(({ batch }) => batch)).toEqual(stages.flatMap(() => [2, 4, 2, 4]));
  for (const [i, { plans, convolutions }] of inTurn.entries()) {
    expect(convolutions).toBeGreaterThan(0);
    expect(plans).toBe(i % 4 < 2 ? convolutions : 0);
  }
});
