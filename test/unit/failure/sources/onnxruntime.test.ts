import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../src/failure/failure.ts';
import { classifyOrtError } from '../../../../src/failure/sources/onnxruntime.ts';

const cuda = { device: 'cuda', doing: 'running detector.onnx' } as const;

describe('classifyOrtError', () => {
  test.each([
    [
      'Non-zero status code ... BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 9437184',
      'CUDA_OUT_OF_MEMORY',
    ],
    ['CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; expr=cudaMalloc((void**)&p, size);', 'CUDA_OUT_OF_MEMORY'],
    ['CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0', 'CUDA_OUT_OF_MEMORY'],
    ['CUDA failure 100: no CUDA-capable device is detected ; GPU=-1', 'GPU_LOST'],
    ['CUDA failure 214: uncorrectable ECC error encountered ; GPU=0', 'GPU_LOST'],
    ['CUDA failure 700: an illegal memory access was encountered ; GPU=0', 'CUDA_ERROR'],
    ['CUDNN failure 5003: CUDNN_STATUS_EXECUTION_FAILED', 'CUDA_ERROR'],
    ['[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: images', 'INFERENCE_FAILED'],
    ['std::bad_alloc', 'HOST_OUT_OF_MEMORY'],
    ['Load model from decoder.onnx failed:system error number 12', 'HOST_OUT_OF_MEMORY'],
    ['Load model from decoder.onnx failed:system error number 24', 'HOST_FAULT'],
    ['Load model from decoder.onnx failed:system error number 2', 'INFERENCE_FAILED'],
    ['pthread_create failed, error code: 11 error msg: Resource temporarily unavailable', 'HOST_FAULT'],
  ])('%s is %s on CUDA', (text, code) => {
    const cause = new Error(text);
    const failure = classifyOrtError(cause, cuda);
    expect(failure).toMatchObject({ code, class: 'system' });
    expect(failure.cause).toBe(cause);
    expect(failure.message).toContain('running detector.onnx on cuda');
  });

  test('memory on the CPU is the memory of the host', () => {
    const error = new Error('Failed to allocate memory for requested buffer of size 1');
    expect(classifyOrtError(error, { device: 'cpu', doing: 'x' }).code).toBe('HOST_OUT_OF_MEMORY');
  });

  test('a failure that is already classified stays itself', () => {
    const failure = new Failure('PACK_BROKEN', 'out of memory');
    expect(classifyOrtError(failure, cuda)).toBe(failure);
  });
});
