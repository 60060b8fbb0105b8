import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { runOnStandIns, standInTest, type TinyPacks, tinyPacks } from './on-stand-ins.ts';

interface Growth {
  readonly stage: string;
  readonly sessionRuns: number;
  readonly grownBytes: number;
}

const RUNS = 1_000;
/** With a memory pattern for every shape age and gender grew by 13 MB and orientation by 7 MB; without, no stage by 0.4 MB. */
const MOST_BYTES = 1_500_000;

let packs: TinyPacks;

beforeAll(async () => {
  packs = await tinyPacks();
}, 300_000);

afterAll(async () => {
  await rm(packs.folder, { recursive: true, force: true });
});

standInTest(
  'memory does not know how many sizes of pictures and people have been',
  async () => {
    const script = 'test/bench/gpu-kit/null-cuda/memory.ts';
    const { lines } = await runOnStandIns<Growth>(script, [packs.prepared, String(RUNS)], {
      env: { NULL_CUDA_HEAP: '1' },
    });
    expect(lines.map(({ stage }) => stage)).toEqual(['detection', 'ageGender', 'orientation', 'action']);
    for (const { stage, sessionRuns, grownBytes } of lines) {
      expect(sessionRuns).toBeGreaterThan(RUNS);
      expect({ stage, grownBytes: Math.max(0, grownBytes - MOST_BYTES) }).toEqual({ stage, grownBytes: 0 });
    }
  },
  180_000,
);
