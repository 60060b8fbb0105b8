import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import type { CudaLibraries } from '../../../src/inference/cuda-libraries.ts';
import { runOnStandIns, standInTest, standInTestUnless } from './on-stand-ins.ts';

interface Probed {
  readonly first: { readonly ok: boolean; readonly reason: string; readonly code: string };
  readonly libraries: CudaLibraries;
}

const SETUP = /run scripts\/setup --gpu/;
const HOST = 'test/bench/gpu-kit/host';

/** The loader finds them after ours: nothing shows then whether ours is missed. */
const system = await systemLibraries();

for (const [library, fix] of [
  ['libcudart.so.13', SETUP],
  ['libcublas.so.13', SETUP],
  ['libcublasLt.so.13', SETUP],
  ['libcurand.so.10', SETUP],
  ['libcuda.so.1', /libcuda comes with the NVIDIA driver/],
  ['libcudnn.so.9', /cuDNN 9 for CUDA 13: run scripts\/setup --gpu/],
] as const) {
  const whyNot = system.has(library) ? `this system has a ${library} of its own` : null;
  standInTestUnless(whyNot)(`without ${library} the probe and the chain's start say so, and what to do`, async () => {
    const { lines } = await runOnStandIns<Probed>(`${HOST}/probe.ts`, [], { without: library, exitCode: 1 });
    const [probed] = lines;
    expect(probed?.libraries.missing).toEqual([library]);
    expect(probed?.first).toMatchObject({ ok: false, code: 'CUDA_ERROR' });

    const start = ['models/demo', 'cuda', 'small', '--batches', '1,1,1', '--loads', 'frame:1', '--seconds', '0.1'];
    const chain = await runOnStandIns<{ readonly error?: string }>(`${HOST}/chain.ts`, start, { without: library });
    const errors = chain.lines.map(({ error }) => error);
    expect(errors).toHaveLength(1);

    for (const text of [probed?.first.reason, errors[0]]) {
      expect(text).toContain(`the CUDA provider needs ${library}, not found by the loader`);
      expect(text).toMatch(fix);
      expect(text).toMatch(/DEVICE=cpu/);
    }
  });
}

standInTest('with all of them nothing is missing, and the probe finds that nothing computes', async () => {
  const [probed] = (await runOnStandIns<Probed>(`${HOST}/probe.ts`, [], { exitCode: 1 })).lines;
  expect(probed?.libraries).toMatchObject({ absent: [], missing: [] });
  expect(probed?.first.reason).toContain('the probe convolution answered 0, expected 9');
});

/** Names in the loader's cache. */
async function systemLibraries(): Promise<ReadonlySet<string>> {
  const path = `${process.env['PATH'] ?? ''}:/sbin:/usr/sbin`;
  const { stdout } = await promisify(execFile)('ldconfig', ['-p'], { env: { PATH: path }, timeout: 10_000 });
  return new Set([...stdout.matchAll(/^\s+(\S+) \(/gm)].map(([, name = '']) => name));
}
