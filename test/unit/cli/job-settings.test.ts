import { expect, test } from '@jest/globals';
import { decodeSettings, freeThreads } from '../../../src/cli/job-settings.ts';
import { loadConfig } from '../../../src/config/config.ts';

test.each([
  ['one video has all cores', 4, 1, 4],
  ['videos share the cores', 16, 2, 8],
  ['what is left over is left to the models', 8, 3, 2],
  ['a video has a thread, also where there are more videos than cores', 2, 4, 1],
  ['no video has more than ffmpeg would take', 96, 2, 16],
])('%s', (_name, cores, videos, threads) => {
  expect(freeThreads(cores, videos)).toBe(threads);
});

test('a number that was set is taken as it is', () => {
  expect(decodeSettings(loadConfig({ DECODER_THREADS: '5' }), 16).threads).toBe(5);
});
