import { describe, expect, test } from '@jest/globals';
import { cudaModels } from '../../../src/cli/execution-plan.ts';
import { judgeGpu } from '../../../src/cli/preflight/gpu.ts';
import { type GpuModels, memoryFix, neededMib } from '../../../src/cli/preflight/gpu-memory.ts';
import { loadConfig } from '../../../src/config/config.ts';

const DEFAULT: GpuModels = { ...cudaModels(loadConfig({})), hasLocalScenes: true };
const FREE_MIB = 15_109;
const T4 = {
  name: 'Tesla T4',
  driver: '580.65',
  memoryTotalMib: 15_360,
  memoryFreeMib: FREE_MIB,
  computeCapability: 7.5,
};

function finding(change: Partial<GpuModels>) {
  return judgeGpu([T4], { deviceId: 0, models: { ...DEFAULT, ...change } });
}

test('what the models take goes by the people in a run, the scene texts and the pipelines', () => {
  expect(neededMib(DEFAULT)).toBe(13_829 + 2_558 + 2_510);
  const without = { ...DEFAULT, hasLocalScenes: false };
  expect(neededMib(without)).toBe(13_829 + 2_558);
  const needed = [1, 2, 4, 8, 16, 32, 64].map((peopleBatch) => neededMib({ ...without, peopleBatch }) - 13_829);
  expect(needed).toEqual([-762, -508, -254, 0, 510, 1_278, 2_558]);
  // Runs of 24, 12, 6, 3 and 1 as those of 32, 16, 8, 8 and 1.
  expect(neededMib({ ...without, peopleBatch: 24 }) - 13_829).toBe(1_022 + 510 + 254 + 254 + 190 - (4 - 1) * 254 - 190);
  expect(neededMib({ ...DEFAULT, pipelines: 3 })).toBe(3 * neededMib(DEFAULT));
});

describe('a T4 with all of its memory free', () => {
  test.each<[string, Partial<GpuModels>, readonly string[]]>([
    ['the defaults', {}, ['take some 18.5 GiB', '2.5 less with PEOPLE_BATCH_SIZE=8', '2.5 less without SCENE=local']],
    ['few people', { peopleBatch: 8 }, ['take some 16.0 GiB', '2.5 less without SCENE=local']],
    ['no local scenes', { hasLocalScenes: false }, ['take some 16.0 GiB', '2.5 less with PEOPLE_BATCH_SIZE=8']],
    ['half the people', { peopleBatch: 32 }, ['17.2 GiB', '1.2 less with PEOPLE_BATCH_SIZE=8', 'SCENE=local']],
    [
      'two pipelines',
      { pipelines: 2, peopleBatch: 8, hasLocalScenes: false },
      ['models in 2 pipelines take some 27.0 GiB', '13.5 less with PIPELINES=1'],
    ],
  ])('has little of it for %s', (_name, change, said) => {
    const { status, fix } = finding(change);
    expect(status).toBe('warn');
    for (const part of said) expect(fix).toContain(part);
    // Each setting that is named is one that would still help.
    expect(fix?.match(/ less with/g)).toHaveLength(said.length - 1);
  });

  test.each<[string, Partial<GpuModels>]>([
    ['few people and no local scenes', { peopleBatch: 8, hasLocalScenes: false }],
    ['no more than 16 people and no local scenes', { peopleBatch: 16, hasLocalScenes: false }],
  ])('has enough of it for %s', (_name, change) => {
    expect(finding(change)).toMatchObject({ status: 'ok', fix: null });
  });
});

test('batches that are as small as they get are not to be lowered', () => {
  const people = { ...DEFAULT, detectionBatch: 1, languageBatch: 1 };
  expect(memoryFix(people)).toMatch(/on this GPU, or lower PEOPLE_BATCH_SIZE$/);
  expect(memoryFix({ ...people, peopleBatch: 1 })).toMatch(/End other programs on this GPU$/);
  expect(memoryFix(DEFAULT)).toMatch(/or lower DETECTION_BATCH_SIZE or PEOPLE_BATCH_SIZE or LANGUAGE_BATCH_SIZE$/);
});
