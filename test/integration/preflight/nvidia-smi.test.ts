import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { queryGpus } from '../../../src/cli/preflight/nvidia-smi.ts';

let folder: string;
const signal = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smi-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function fakeSmi(body: string): Promise<string> {
  const path = join(folder, 'nvidia-smi');
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('queryGpus', () => {
  test('asks for the fields by name and reads the answer', async () => {
    const smi = await fakeSmi(
      `[ "$1" = --query-gpu=name,driver_version,memory.total,memory.free,compute_cap ] && [ "$2" = --format=csv,noheader,nounits ] && echo 'NVIDIA L4, 580.82.07, 23034, 22560, 8.9'`,
    );
    expect(await queryGpus(smi, signal)).toEqual({
      ok: true,
      gpus: [
        { name: 'NVIDIA L4', driver: '580.82.07', memoryTotalMib: 23034, memoryFreeMib: 22560, computeCapability: 8.9 },
      ],
    });
  });

  test('asks a driver that does not know compute capability again without it', async () => {
    const smi = await fakeSmi(
      `case "$1" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;; *) echo 'Tesla T4, 450.80.02, 15109, 15106';; esac`,
    );
    expect(await queryGpus(smi, signal)).toMatchObject({
      ok: true,
      gpus: [{ name: 'Tesla T4', computeCapability: null }],
    });
  });

  test.each([
    [
      `echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running."; exit 9`,
      'kernel module is not loaded',
    ],
    [`echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18`, 'reboot the host'],
    [`echo "No devices were found"; exit 6`, 'no GPU is visible'],
    [`echo "No devices were found"`, 'no GPU is visible'],
  ])('names the fix for: %s', async (body, fix) => {
    const answer = await queryGpus(await fakeSmi(body), signal);
    expect(answer).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^nvidia-smi: \S/),
      fix: expect.stringContaining(fix),
    });
  });

  test('says that there is no driver when there is no nvidia-smi', async () => {
    expect(await queryGpus(join(folder, 'absent'), signal)).toMatchObject({
      ok: false,
      detail: 'nvidia-smi is not found: no NVIDIA driver on this host',
    });
  });

  test('kills one that hangs when the caller gives up', async () => {
    const controller = new AbortController();
    const answer = queryGpus(await fakeSmi('exec tail -f /dev/null'), controller.signal);
    controller.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
  });
});
