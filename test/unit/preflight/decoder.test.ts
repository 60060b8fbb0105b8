import { expect, test } from '@jest/globals';
import { checkDecoder, type DecoderOutcome } from '../../../src/cli/preflight/decoder.ts';

const signal = new AbortController().signal;
const SETTINGS = { gpu: 1, mode: 'exact', threads: 2 } as const;

async function decide(device: 'cpu' | 'cuda' | 'auto', reason: string | null | Error): Promise<DecoderOutcome> {
  const checkGpuDecoder = async (gpu: number): Promise<string | null> => {
    expect(gpu).toBe(1);
    if (reason instanceof Error) throw reason;
    return reason;
  };
  return await checkDecoder({ ...SETTINGS, device }, { checkGpuDecoder }, signal);
}

test('the processor is not asked about', async () => {
  expect(await decide('cpu', new Error('asked'))).toMatchObject({
    gpu: null,
    check: { name: 'decoder', status: 'ok', detail: 'the processor, 2 threads for each video; DECODE=exact' },
  });
});

test.each(['cuda', 'auto'] as const)('%s takes a GPU that decodes as the processor does', async (device) => {
  expect(await decide(device, null)).toMatchObject({
    gpu: 1,
    check: { status: 'ok', detail: 'NVDEC of GPU 1; DECODE=exact' },
  });
});

test('cuda fails where the GPU does not decode', async () => {
  expect((await decide('cuda', 'built without CUDA')).check).toMatchObject({
    status: 'fail',
    detail: 'built without CUDA',
    fix: expect.stringContaining('DECODE_DEVICE=cpu'),
  });
});

test.each([
  ['a reason', 'built without CUDA'],
  ['an error', new Error('built without CUDA')],
])('auto takes the processor then, and tells %s', async (_name, reason) => {
  const { gpu, check } = await decide('auto', reason);
  expect(gpu).toBeNull();
  expect(check).toMatchObject({
    status: 'warn',
    detail: expect.stringMatching(/^the processor, .*built without CUDA/),
  });
});
