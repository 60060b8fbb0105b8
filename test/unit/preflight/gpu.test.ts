import { describe, expect, test } from '@jest/globals';

import { checkGpu, type GpuDeps, judgeGpu } from '../../../src/cli/preflight/gpu.ts';
import type { GpuModels } from '../../../src/cli/preflight/gpu-memory.ts';
import { type Gpu, parseGpus } from '../../../src/cli/preflight/nvidia-smi.ts';

const A10G: Gpu = {
  name: 'NVIDIA A10G',
  driver: '580.65.06',
  memoryTotalMib: 23028,
  memoryFreeMib: 22563,
  computeCapability: 8.6,
};
const signal = new AbortController().signal;

/** As CUDA has them where nothing is set. */
const MODELS: GpuModels = { pipelines: 1, detectionBatch: 8, peopleBatch: 64, languageBatch: 8, hasLocalScenes: true };
const FIRST = { deviceId: 0, models: MODELS };

const GOOD: GpuDeps = {
  queryGpus: async () => ({ ok: true, gpus: [A10G] }),
  inspectLibraries: async () => ({ dir: '/ort', absent: [], missing: [] }),
  probeCuda: async () => ({ ok: true, milliseconds: 812.4 }),
};

describe('parseGpus', () => {
  test.each([
    ['one GPU', 'NVIDIA A10G, 580.65.06, 23028, 22563, 8.6\n', [A10G]],
    [
      'without compute capability',
      'Tesla K80, 470.57.02, 11441, 11441\n',
      [
        {
          name: 'Tesla K80',
          driver: '470.57.02',
          memoryTotalMib: 11441,
          memoryFreeMib: 11441,
          computeCapability: null,
        },
      ],
    ],
    [
      'memory that is not told',
      'NVIDIA GB10, 580.95.05, [N/A], [N/A], 12.1\n',
      [{ name: 'NVIDIA GB10', driver: '580.95.05', memoryTotalMib: 0, memoryFreeMib: 0, computeCapability: 12.1 }],
    ],
    ['no GPU', 'No devices were found\n', []],
    ['nothing', '', []],
    ['something else', 'Unable to determine the device handle for GPU 0000:00:1E.0: Unknown Error\n', null],
  ])('reads %s', (_name, csv, expected) => {
    expect(parseGpus(csv)).toEqual(expected);
  });

  test('reads several in their order', () => {
    const csv = 'NVIDIA A10G, 580.65.06, 23028, 22563, 8.6\nNVIDIA L4, 580.65.06, 23034, 100, 8.9\n';
    expect(parseGpus(csv)?.map((gpu) => gpu.name)).toEqual(['NVIDIA A10G', 'NVIDIA L4']);
  });
});

describe('judgeGpu', () => {
  test.each<[string, Partial<Gpu>, string, string | null]>([
    ['a good one', {}, 'ok', null],
    ['exactly the oldest driver', { driver: '580.00' }, 'ok', null],
    ['an older driver', { driver: '579.99.01' }, 'fail', 'driver 580 or newer'],
    ['exactly the oldest generation', { computeCapability: 7.5 }, 'ok', null],
    ['an older generation', { computeCapability: 7.0 }, 'fail', 'compute capability 7.5'],
    ['a full one', { memoryFreeMib: 300 }, 'warn', 'little memory'],
    ['one with just too little for the official models', { memoryFreeMib: 18_896 }, 'warn', 'little memory'],
    ['one with just enough', { memoryFreeMib: 18_897 }, 'ok', null],
    ['one that does not tell its memory', { memoryTotalMib: 0, memoryFreeMib: 0 }, 'ok', null],
  ])('%s', (_name, change, status, fix) => {
    const finding = judgeGpu([{ ...A10G, ...change }], FIRST);
    expect(finding.status).toBe(status);
    if (fix === null) expect(finding.fix).toBeNull();
    else expect(finding.fix).toContain(fix);
  });

  test('a device number that this host does not have', () => {
    expect(judgeGpu([A10G], { ...FIRST, deviceId: 1 })).toMatchObject({
      status: 'fail',
      fix: 'choose GPU_DEVICE_ID from 0 to 0',
    });
  });
});

describe('checkGpu', () => {
  const noGpu: GpuDeps = {
    ...GOOD,
    queryGpus: async () => ({ ok: false, detail: 'nvidia-smi is not found', fix: 'install' }),
  };

  test('cuda with everything there', async () => {
    const outcome = await checkGpu({ wanted: 'cuda', ...FIRST }, GOOD, signal);
    expect(outcome.device).toBe('cuda');
    expect(outcome.checks.map((check) => check.status)).toEqual(['ok', 'ok', 'ok']);
  });

  test('cuda without a GPU fails and never falls back', async () => {
    const outcome = await checkGpu({ wanted: 'cuda', ...FIRST }, noGpu, signal);
    expect(outcome.device).toBe('cuda');
    expect(outcome.checks.map((check) => check.status)).toEqual(['fail', 'ok', 'skipped']);
  });

  test('cuda without cuDNN fails by its name and does not try the provider', async () => {
    const inspectLibraries: GpuDeps['inspectLibraries'] = async () => ({
      dir: '/ort',
      absent: [],
      missing: ['libcudnn.so.9'],
    });
    const outcome = await checkGpu({ wanted: 'cuda', ...FIRST }, { ...GOOD, inspectLibraries }, signal);
    expect(outcome.checks.map((check) => check.status)).toEqual(['ok', 'fail', 'skipped']);
    expect(outcome.checks[1]).toMatchObject({
      detail: expect.stringContaining('libcudnn.so.9'),
      fix: expect.stringContaining('cuDNN 9'),
    });
  });

  test('auto without a GPU takes the CPU and says so first', async () => {
    const outcome = await checkGpu({ wanted: 'auto', ...FIRST }, noGpu, signal);
    expect(outcome.device).toBe('cpu');
    expect(outcome.checks[0]).toMatchObject({ name: 'device', status: 'warn' });
    expect(outcome.checks.map((check) => check.status)).toEqual(['warn', 'warn', 'ok', 'skipped']);
  });

  test('cpu asks nobody', async () => {
    const nobody = (): never => {
      throw new Error('asked');
    };
    const outcome = await checkGpu(
      { wanted: 'cpu', ...FIRST },
      { queryGpus: nobody, inspectLibraries: nobody, probeCuda: nobody },
      signal,
    );
    expect(outcome.device).toBe('cpu');
    expect(outcome.checks.map((check) => check.status)).toEqual(['skipped', 'skipped', 'skipped']);
  });
});
