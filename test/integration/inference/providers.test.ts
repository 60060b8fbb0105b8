import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { CONV_PROBE_MODEL } from '../../../src/inference/conv-probe-model.ts';
import { bindingDir } from '../../../src/inference/cuda-libraries.ts';
import { cudaFix, openSession, probeCudaProvider, runConvProbe } from '../../../src/inference/providers.ts';

const hasCuda = existsSync(join(bindingDir(), 'libonnxruntime_providers_cuda.so'));

test('the probe graph computes a convolution', async () => {
  const session = await openSession(CONV_PROBE_MODEL, { device: 'cpu', threads: 1 });
  await runConvProbe(session);
  await session.release();
});

(hasCuda ? test.skip : test)(
  `CUDA without its provider library is refused with the fix, never replaced by the CPU${hasCuda ? ' (the provider is installed here)' : ''}`,
  async () => {
    const probe = await probeCudaProvider();
    expect(probe).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/libonnxruntime_providers_cuda\.so not in /),
      fix: expect.stringContaining('scripts/setup --gpu'),
    });
    await expect(openSession(CONV_PROBE_MODEL, { device: 'cuda' })).rejects.toMatchObject({
      code: 'CUDA_ERROR',
      class: 'system',
      message: expect.stringMatching(/libonnxruntime_providers_cuda\.so not in .*run scripts\/setup --gpu/),
      cause: expect.objectContaining({ message: expect.stringContaining('Failed to load shared library') }),
    });
  },
);

test('bytes that are no model are named as such', async () => {
  await expect(openSession(Uint8Array.of(1, 2, 3), { device: 'cpu' })).rejects.toMatchObject({ code: 'PACK_BROKEN' });
});

test.each([
  ['CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version', 'driver 580'],
  ['CUDA failure 100: no CUDA-capable device is detected', 'nvidia-smi'],
  ['no kernel image is available for execution on the device', 'GPU generation'],
  ['out of memory', 'free memory'],
])('%s: the fix names %s', (text, fix) => expect(cudaFix(text)).toContain(fix));
