import { expect, test } from '@jest/globals';
import type { ExecutionPlan } from '../../../../src/cli/execution-plan.ts';
import type { SearchResult } from '../../../../src/cli/tune/search.ts';
import { resultText, VARIABLES } from '../../../../src/cli/tune/tune-text.ts';
import { allKeys } from '../../../../src/config/render.ts';

const START: ExecutionPlan = {
  pipelines: 1,
  threads: 1,
  detectionBatch: 1,
  peopleBatch: 1,
  languageBatch: 1,
  decoderThreads: 1,
  framesInFlight: 4,
};
const BEST = { ...START, pipelines: 2, languageBatch: 4 };
const run = (framesPerSecond: number, cpuMsPerFrame: number, peakMib: number) => ({
  framesPerSecond,
  cpuMsPerFrame,
  peakMib,
});
const RESULT: SearchResult = {
  best: BEST,
  trials: [
    { plan: START, runs: [run(10, 80, 200), run(12, 82, 200)], problem: null },
    { plan: { ...START, pipelines: 4 }, runs: [], problem: 'no memory is left' },
    { plan: BEST, runs: [run(22, 81, 300)], problem: null },
  ],
  comparison: null,
  noise: 0.06,
  isComplete: false,
};

test('the result ends with the lines for .env, and says what they gain', () => {
  expect(resultText(RESULT, START).split('\n')).toEqual([
    'settings                                     frames/s  processor ms/frame  peak MiB  runs',
    'settings in force                                11.0                81.0       200     2',
    'PIPELINES=4                        does not work here                                   0',
    'PIPELINES=2 LANGUAGE_BATCH_SIZE=4                22.0                81.0       300     1',
    '',
    'two runs of one plan differ by 4 % here: differences under 6 % keep the simpler settings',
    'not everything was tried: --seconds gives the search more time',
    '',
    'best: +100 % frames/s, +0 % of the processor, +50 % of the memory, against the settings in force',
    '',
    'PIPELINES=2',
    'LANGUAGE_BATCH_SIZE=4',
    '',
  ]);
});

test('what is gained is read from the last comparison, where there was one', () => {
  const comparison = { before: [run(20, 100, 200)], after: [run(25, 90, 220)] };
  expect(resultText({ ...RESULT, comparison }, START)).toContain(
    'best: +25 % frames/s, -10 % of the processor, +10 % of the memory',
  );
});

test('there is nothing to set where nothing better was found', () => {
  expect(resultText({ ...RESULT, best: START }, START)).toContain('nothing to set');
  expect(resultText({ ...RESULT, best: START, trials: [] }, START)).toContain('nothing to set');
});

test('every setting has its variable', () => {
  const known = new Set(allKeys().map(({ name }) => name));
  for (const name of Object.values(VARIABLES)) expect(known).toContain(name);
});
