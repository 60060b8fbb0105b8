import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '../../chaos/random.ts';
import { loadTarget, seedsOf, targetNames } from '../../fuzz/engine/corpus.ts';
import { judge } from '../../fuzz/engine/judge.ts';
import { mutate } from '../../fuzz/engine/mutate.ts';
import { atDepth } from '../../harness/depth.ts';

const SEED = 20_260_101;
const CHANGED = atDepth(120, 200);
const MAX_BYTES = 4_096;

describe.each(targetNames())('what reads %s', (name) => {
  test('holds for every seed and every former find', async () => {
    const target = await loadTarget(name);
    const seeds = seedsOf(name);
    expect(seeds.length).toBeGreaterThan(0);
    expect(
      seeds.flatMap(({ path, input }) => ({ path, fault: judge(target, input) })).filter(({ fault }) => fault),
    ).toEqual([]);
  });

  test('holds for what a few changes make of them', async () => {
    const target = await loadTarget(name);
    const random = seededRandom(SEED);
    const seeds = seedsOf(name).map(({ input }) => input);
    const other = (): Buffer => seeds[Math.floor(random() * seeds.length)] ?? Buffer.alloc(0);
    const source = { random, target: { ...target, maxBytes: Math.min(target.maxBytes, MAX_BYTES) }, other };
    for (let count = 0; count < CHANGED; count++) {
      const input = mutate(other(), source);
      const fault = judge(target, input);
      // Told only where there is one: thousands are run.
      if (fault !== null) expect({ input: input.toString(), fault }).toMatchObject({ fault: null });
    }
  });
});
