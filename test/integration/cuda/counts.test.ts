import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Counts } from '../../bench/gpu-kit/null-cuda/counts.ts';
import { runOnStandIns, standInTest, type TinyPacks, tinyPacks } from './on-stand-ins.ts';

/** One run of a stage on a batch; `runs` are the session's. */
interface CountedRun extends Counts {
  readonly stage: string;
  readonly batch: number;
  readonly runs: number;
}

type Bounded = Exclude<keyof CountedRun, 'stage' | 'batch'>;

/** A frame of 1080p as it goes to the GPU. */
const FRAME_BYTES = 1920 * 1080 * 3;
/** Candidates of either class in a frame that the suppression is made to find: about what a trained detector has. */
const FOUND = { NULL_FOUND: '30' } as const;
/** In no run of a batch size that was seen: a convolution planned, the whole GPU awaited, pinned memory taken. */
const NEVER = { plans: 0, deviceWaits: 0, pinned: 0 } as const;

/**
 * The most that a run of the prepared pack in fp16 may ask of the GPU, as counted with ONNX Runtime 1.30. Bytes are rounded up by a
 * few percent, all else is what was counted: one copy, one wait or one allocation more than today fails here.
 */
const BOUNDS: readonly (Readonly<Partial<Record<Bounded, number>>> & {
  readonly stage: string;
  readonly batch: number;
})[] = [
  ...[
    { batch: 1, launches: 204 },
    { batch: 8, launches: 459 },
  ].map(({ batch, ...most }) => ({
    ...most,
    stage: 'detection',
    batch,
    runs: 1,
    toGpu: 37,
    toGpuBytes: batch * FRAME_BYTES + 100_000,
    toHost: 4 + 4 * batch,
    toHostBytes: batch * 640,
    insideGpuBytes: batch * 300,
    // The suppression waits three times for every class in every frame, and takes memory once.
    waits: 2 + 6 * batch,
    allocations: 2 * batch,
  })),
  ...[
    { batch: 1, launches: 181, toGpu: 33, insideGpuBytes: 90_000 },
    { batch: 8, launches: 185, toGpu: 45, insideGpuBytes: 460_000 },
  ].map(({ batch, ...most }) => ({
    ...most,
    stage: 'ageGender',
    batch,
    runs: 1,
    toGpuBytes: batch * 320_000,
    toHost: 1,
    toHostBytes: batch * 12,
    waits: 2,
    allocations: 0,
  })),
  ...[1, 8].map((batch) => ({
    stage: 'orientation',
    batch,
    runs: 1,
    launches: 121,
    toGpu: 4,
    toGpuBytes: batch * 800_000,
    toHost: 1,
    toHostBytes: batch * 8,
    insideGpuBytes: 0,
    waits: 2,
    allocations: 0,
  })),
  ...[
    { batch: 1, launches: 123, insideGpuBytes: 210_000 },
    { batch: 8, launches: 126, insideGpuBytes: 100_000 },
  ].map(({ batch, ...most }) => ({
    ...most,
    stage: 'visionEncoder',
    batch,
    runs: 1,
    toGpu: 5,
    toGpuBytes: batch * 225_000,
    toHost: 1,
    toHostBytes: batch * 4_096,
    waits: 2,
    allocations: 0,
  })),
  // Here the cache and the logits come back to the host, 38 kB for a prompt.
  ...[1, 8].map((batch) => ({
    stage: 'prefill',
    batch,
    runs: 1,
    launches: 92,
    toGpu: 23,
    toGpuBytes: 5_000 + batch * 37_000,
    toHost: 5,
    toHostBytes: batch * 38_200,
    insideGpuBytes: batch * 5_000,
    waits: 2,
    allocations: 0,
  })),
  // The cache goes to the host and back between the steps.
  ...[
    { batch: 1, runs: 4, launches: 299, toGpu: 52, toHost: 12, insideGpuBytes: 230_000 },
    { batch: 8, runs: 8, launches: 473, toGpu: 100, toHost: 24, insideGpuBytes: 210_000 },
  ].map(({ batch, runs, ...most }) => ({
    ...most,
    stage: 'action',
    batch,
    runs,
    toGpuBytes: batch * 480_000,
    toHostBytes: batch * 275_000,
    waits: 2 * runs,
    allocations: 0,
  })),
];

const COUNT = 'test/bench/gpu-kit/null-cuda/count.ts';
let packs: TinyPacks;

beforeAll(async () => {
  packs = await tinyPacks();
}, 300_000);

afterAll(async () => {
  await rm(packs.folder, { recursive: true, force: true });
});

standInTest(
  'a run asks of the GPU what it has to',
  async () => {
    const { lines } = await runOnStandIns<CountedRun>(COUNT, [packs.prepared, '1,8'], { env: FOUND });
    const counted = lines.filter(({ batch }) => batch !== undefined);
    const over: string[] = [];
    for (const { stage, batch, ...bounds } of BOUNDS) {
      const run = counted.find((one) => one.stage === stage && one.batch === batch);
      if (run === undefined) throw new Error(`${stage} was not counted with ${batch}`);
      for (const [name, most] of Object.entries({ ...bounds, ...NEVER }) as [Bounded, number][]) {
        if (!(run[name] <= most)) over.push(`${stage} of ${batch}: ${name} ${run[name]}, at most ${most}`);
      }
      // What counts nothing exceeds nothing.
      expect(run.launches + run.products).toBeGreaterThan(80);
      expect(run.toGpuBytes).toBeGreaterThan(0);
    }
    expect(over).toEqual([]);
    expect([...new Set(counted.map(({ stage }) => stage))]).toEqual([...new Set(BOUNDS.map(({ stage }) => stage))]);
  },
  180_000,
);

standInTest(
  'a batch size that was seen plans no convolution again',
  async () => {
    const stages = ['detection', 'ageGender', 'orientation', 'visionEncoder'];
    const { lines } = await runOnStandIns<{
      readonly stage: string;
      readonly inTurn?: readonly { readonly batch: number; readonly plans: number; readonly convolutions: number }[];
    }>(COUNT, [packs.raw, '1', stages.join(',')]);
    const inTurn = lines.flatMap((line) => line.inTurn ?? []);
    expect(inTurn.map(({ batch }) => batch)).toEqual(stages.flatMap(() => [2, 4, 2, 4]));
    for (const [i, { plans, convolutions }] of inTurn.entries()) {
      expect(convolutions).toBeGreaterThan(0);
      expect(plans).toBe(i % 4 < 2 ? convolutions : 0);
    }
  },
  120_000,
);
