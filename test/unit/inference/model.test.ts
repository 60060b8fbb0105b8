import { expect, test } from '@jest/globals';
import type { InferenceSession } from 'onnxruntime-node';
import { runSession } from '../../../src/inference/model.ts';
import type { ModelSpec } from '../../../src/packs/pack-manifest.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';

const spec = { file: { path: 'detector.onnx' } } as ModelSpec;
/** ONNX Runtime 1.30 on a host without cuDNN. */
const NO_CUDNN = `Non-zero status code returned while running Conv node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/providers/cuda/cuda_kernel.h:296 static cudnnContext* onnxruntime::cuda::CudaKernel::RequireCudnnHandle(cudnnHandle_t) [ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : cuDNN is unavailable or disabled for CUDA Execution Provider: dlopen failed for libcudnn.so: libcudnn.so: cannot open shared object file: No such file or directory
`;

function run(device: 'cpu' | 'cuda', text: string): Promise<unknown> {
  const session = { run: () => Promise.reject(new Error(text)) } as unknown as InferenceSession;
  return runSession({ session, spec, target: { device } }, {}, stageMeter());
}

test('a run that lacks cuDNN fails by the fault of the system and says what to do', async () => {
  await expect(run('cuda', NO_CUDNN)).rejects.toMatchObject({
    code: 'CUDA_ERROR',
    class: 'system',
    message: expect.stringMatching(
      /^running detector\.onnx on cuda failed: .*No such file or directory; .*run scripts\/setup --gpu.*DEVICE=cpu$/,
    ),
    cause: expect.objectContaining({ message: NO_CUDNN }),
  });
});

test.each([
  ['cuda', 'Got invalid dimensions for input: images', 'INFERENCE_FAILED'],
  ['cuda', 'BFCArena: Failed to allocate memory', 'CUDA_OUT_OF_MEMORY'],
  ['cpu', 'Failed to allocate memory for requested buffer', 'HOST_OUT_OF_MEMORY'],
] as const)('on %s, what comes from no library keeps its text: %s', async (device, text, code) => {
  const message = `running detector.onnx on ${device} failed: ${text}`;
  await expect(run(device, text)).rejects.toMatchObject({ code, message });
});
