import { Failure } from '../failure.ts';
import type { FailureCode } from '../codes.ts';

/** First match wins: an out-of-memory report also names CUDA, a lost device too. */
const PATTERNS: readonly (readonly [RegExp, FailureCode])[] = [
  [/std::bad_alloc|cannot allocate memory/i, 'HOST_OUT_OF_MEMORY'],
  [
    /cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY|CUDA failure 2\b|CU(DNN|BLAS)_STATUS_ALLOC_FAILED/i,
    'CUDA_OUT_OF_MEMORY',
  ],
  [/out of memory|BFCArena|Failed to allocate memory for requested buffer|Available memory of/i, 'CUDA_OUT_OF_MEMORY'],
  [
    /no CUDA-capable device|cudaErrorNoDevice|device is (lost|unavailable|busy)|cudaErrorDevicesUnavailable|fallen off the bus|uncorrectable ECC|GPU is lost|CUDA failure (46|100|214)\b/i,
    'GPU_LOST',
  ],
  [/CUDA|cuDNN|cuBLAS|cuFFT|cuRAND/i, 'CUDA_ERROR'],
];

export interface OrtErrorContext {
  readonly device: 'cpu' | 'cuda';
  /** What was being done: `running detector.onnx`. */
  readonly doing: string;
}

/**
 * Turns what ONNX Runtime throws into the closed family. ONNX Runtime has no error codes in Node: the text is all there is,
 * so a text that no pattern knows is INFERENCE_FAILED, and a memory failure on the CPU is the host's.
 */
export function classifyOrtError(
  error: unknown,
  context: OrtErrorContext = { device: 'cpu', doing: 'inference' },
): Failure {
  if (error instanceof Failure) return error;
  const text = (error instanceof Error ? error.message : String(error)).trimEnd();
  const matched = PATTERNS.find(([pattern]) => pattern.test(text))?.[1] ?? 'INFERENCE_FAILED';
  const code = matched === 'CUDA_OUT_OF_MEMORY' && context.device === 'cpu' ? 'HOST_OUT_OF_MEMORY' : matched;
  return new Failure(code, `${context.doing} on ${context.device} failed: ${text}`, { cause: error });
}
