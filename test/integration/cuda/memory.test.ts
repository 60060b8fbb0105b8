import { expect } from '@jest/globals';
import { runOnStandIns, standInTest } from './on-stand-ins.ts';
import { useTinyPack } from './tiny-pack.ts';

interface Growth {
  readonly stage: string;
  readonly sessionRuns: number;
  readonly grownBytes: number;
  readonly gpuGrownBytes: number;
}

const RUNS = 1_000;
/** With a memory pattern for every shape age and gender grew by 13 MB and orientation by 7 MB; without, no stage by 0.6 MB. */
const MOST_BYTES = 1_500_000;

const pack = useTinyPack();

standInTest('memory does not know how many sizes of pictures and people have been', async () => {
  const script = 'test/bench/gpu-kit/null-cuda/memory.ts';
  const { lines } = await runOnStandIns<Growth>(script, [pack().prepared, String(RUNS)], {
    env: { NULL_CUDA_HEAP: '1' },
  });
  expect(lines.map(({ stage }) => stage)).toEqual(['detection', 'ageGender', 'orientation', 'action']);
  for (const { stage, sessionRuns, grownBytes, gpuGrownBytes } of lines) {
    expect(sessionRuns).toBeGreaterThan(RUNS);
    expect({ stage, tooMuch: Math.max(0, grownBytes - MOST_BYTES), gpuGrownBytes }).toEqual({
      stage,
      tooMuch: 0,
      gpuGrownBytes: 0,
    });
  }
});
