import { expect } from '@jest/globals';
import { runOnStandIns, standInTest } from './on-stand-ins.ts';
import { useTinyPack } from './tiny-pack.ts';

interface Growth {
  readonly stage: string;
  readonly sessionRuns: number;
  readonly grownBytes: number;
  readonly gpuGrownBytes: number;
}

const SCRIPT = 'test/bench/gpu-kit/null-cuda/memory.ts';
/** An action step by step is several runs of sessions: fewer of them take as long as the others. */
const RUNS = { detection: 500, ageGender: 500, orientation: 500, action: 500, actionSteps: 150 } as const;
/** With a memory pattern for every shape age and gender grew by 13 MB in a thousand runs and orientation by 7 MB; without, no stage by 0.6 MB. */
const MOST_BYTES = 1_500_000;

const pack = useTinyPack();

for (const [stage, runs] of Object.entries(RUNS)) {
  standInTest(`memory does not know how many sizes the inputs of ${stage} have had`, async () => {
    const env = { NULL_CUDA_HEAP: '1' };
    const { lines } = await runOnStandIns<Growth>(SCRIPT, [pack().prepared, String(runs), stage], { env });
    expect(lines).toEqual([expect.objectContaining({ stage, gpuGrownBytes: 0 })]);
    expect(lines[0]?.sessionRuns).toBeGreaterThan(runs);
    expect(lines[0]?.grownBytes).toBeLessThan(MOST_BYTES);
  });
}
