import { describe, expect, test } from '@jest/globals';
import {
  decoderThreads,
  executionPlan,
  freeThreads,
  planText,
  type Workload,
} from '../../../src/cli/execution-plan.ts';
import { loadConfig } from '../../../src/config/config.ts';

const GIB = 1024 ** 3;
const HOST: Workload = { device: 'cpu', cores: 4, memoryBytes: 64 * GIB, packBytes: GIB / 10, videosAtOnce: 2 };

const planned = (workload: Partial<Workload>, env: Readonly<Record<string, string>> = {}) =>
  executionPlan(loadConfig(env), { ...HOST, ...workload });

test('the CPU has batches of one, one thread in an operator, and a pipeline for two cores', () => {
  expect(planned({})).toEqual({
    pipelines: 2,
    threads: 1,
    detectionBatch: 1,
    peopleBatch: 1,
    languageBatch: 1,
    decoderThreads: 1,
    framesInFlight: 4,
  });
});

test('CUDA has one pipeline with batches of 8 frames and 64 people, and the decoders have the cores', () => {
  expect(planned({ device: 'cuda', cores: 8 })).toMatchObject({
    pipelines: 1,
    detectionBatch: 8,
    peopleBatch: 64,
    languageBatch: 8,
    decoderThreads: 4,
    framesInFlight: 16,
  });
});

describe('pipelines on the CPU', () => {
  test.each([
    ['there is always one', { cores: 1 }, 1],
    ['an odd core is left over', { cores: 5 }, 2],
    ['no more than the main thread can feed', { cores: 96 }, 8],
    [
      'half of the memory is theirs: 16 GiB for models of 2 GiB, which take 3',
      { cores: 32, memoryBytes: 32 * GIB, packBytes: 2 * GIB },
      5,
    ],
    ['one also where nothing fits', { cores: 32, memoryBytes: GIB, packBytes: 4 * GIB }, 1],
  ])('%s', (_name, workload, pipelines) => {
    expect(planned(workload).pipelines).toBe(pipelines);
  });
});

test('cores that no pipeline takes are threads of the operators', () => {
  expect(planned({ cores: 96 }).threads).toBe(6);
  expect(planned({ cores: 32, memoryBytes: GIB, packBytes: 4 * GIB }).threads).toBe(16);
});

test('every pipeline has two frames in flight, whoever they belong to', () => {
  expect(planned({ cores: 16, videosAtOnce: 1 }).framesInFlight).toBe(16);
  expect(planned({ cores: 16, videosAtOnce: 2 }).framesInFlight).toBe(8);
});

describe('frames in flight on CUDA', () => {
  const largest = (pixels: number) => ({ MAX_VIDEO_PIXELS: String(pixels) });
  const eightK = 7680 * 4320;

  test.each([
    ['a single video has all 32 that keep a GPU at work', 1, {}, 32],
    ['videos share them', 3, {}, 11],
    ['none has fewer than four', 16, {}, 4],
    ['pipelines multiply them', 2, { PIPELINES: '2' }, 32],
    ['and not beyond what the setting allows', 1, { PIPELINES: '4' }, 64],
  ])('%s', (_name, videosAtOnce, env, frames) => {
    expect(planned({ device: 'cuda', videosAtOnce }, env).framesInFlight).toBe(frames);
  });

  test.each([
    ['8 GiB hold 21 pictures in 8K in a quarter, and three of them are the decoder’s', 8, 1, eightK, 18],
    ['shared by two videos', 8, 2, eightK, 7],
    ['where 4K is the largest they suffice', 8, 1, eightK / 4, 32],
    ['four also where even these are too many', 1, 2, eightK, 4],
  ])('%s', (_name, gib, videosAtOnce, pixels, frames) => {
    const workload = { device: 'cuda', memoryBytes: gib * GIB, videosAtOnce } as const;
    expect(planned(workload, largest(pixels)).framesInFlight).toBe(frames);
  });
});

test('what was set is taken as it is', () => {
  const env = {
    PIPELINES: '3',
    CPU_THREADS: '0',
    DETECTION_BATCH_SIZE: '2',
    PEOPLE_BATCH_SIZE: '32',
    LANGUAGE_BATCH_SIZE: '16',
    DECODER_THREADS: '5',
    FRAMES_IN_FLIGHT: '7',
  };
  const batches = { detectionBatch: 2, peopleBatch: 32, languageBatch: 16 };
  const plan = { pipelines: 3, threads: 0, ...batches, decoderThreads: 5, framesInFlight: 7 };
  expect(planned({}, env)).toEqual(plan);
  expect(planned({ device: 'cuda' }, env)).toEqual(plan);
});

test('a decoder has the cores that no model on the CPU wants', () => {
  const auto = loadConfig({});
  expect(decoderThreads(auto, { models: null, cores: 8, videosAtOnce: 1 })).toBe(8);
  expect(decoderThreads(auto, { models: 'cuda', cores: 8, videosAtOnce: 2 })).toBe(4);
  expect(decoderThreads(auto, { models: 'cpu', cores: 8, videosAtOnce: 2 })).toBe(2);
  expect(decoderThreads(auto, { models: 'cpu', cores: 1, videosAtOnce: 1 })).toBe(1);
});

test.each([
  ['one video has all cores', 4, 1, 4],
  ['videos share the cores', 16, 2, 8],
  ['what is left over is left to the models', 8, 3, 2],
  ['a video has a thread, also where there are more videos than cores', 2, 4, 1],
  ['no video has more than ffmpeg would take', 96, 2, 16],
])('%s', (_name, cores, videos, threads) => {
  expect(freeThreads(cores, videos)).toBe(threads);
});

test('the plan is told on one line', () => {
  expect(planText('cpu', planned({}))).toBe(
    'the models run on cpu: 2 pipelines, 1 thread in an operator, batches of 1 (detection), 1 (people) and 1 (language); each video has 1 decoder thread and 4 frames in flight',
  );
  expect(planText('cuda', planned({ device: 'cuda' }))).not.toContain('operator');
});
