import { outsideText } from '../../text/outside-text.ts';
import type { FailureCode } from '../codes.ts';
import { Failure } from '../failure.ts';

/** First match wins: an out-of-memory report also names CUDA, a lost device too. */
const PATTERNS: readonly (readonly [RegExp, FailureCode])[] = [
  [/std::bad_alloc|cannot allocate memory|\bsystem error number 12\b/i, 'HOST_OUT_OF_MEMORY'],
  // Of files by their errno (EIO, EAGAIN, ENFILE, EMFILE), of threads by its words.
  [/\bsystem error number (5|11|23|24)\b|pthread_create failed/i, 'HOST_FAULT'],
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

/** For an error that came without a word of what was being done. */
const ORT_TEXT = /onnx ?runtime|OrtRun|Non-zero status code|CUDA failure|cudaError|CUDNN_STATUS|CUBLAS_STATUS/i;

export interface OrtErrorContext {
  readonly device: 'cpu' | 'cuda';
  /** What was being done: `running detector.onnx`. */
  readonly doing: string;
}

/** What a text means that ONNX Runtime may have written; null where it says nothing of the kind. */
export function meaningOfOrtText(text: string): { readonly code: FailureCode; readonly device: 'cpu' | 'cuda' } | null {
  if (!ORT_TEXT.test(text)) return null;
  const device = /cuda|cudnn|cublas/i.test(text) ? 'cuda' : 'cpu';
  return { code: codeOn(device, text), device };
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
  return new Failure(
    codeOn(context.device, text),
    `${context.doing} on ${context.device} failed: ${outsideText(text, 2_000)}`,
    {
      cause: error,
    },
  );
}

function codeOn(device: 'cpu' | 'cuda', text: string): FailureCode {
  const matched = PATTERNS.find(([pattern]) => pattern.test(text))?.[1] ?? 'INFERENCE_FAILED';
  return matched === 'CUDA_OUT_OF_MEMORY' && device === 'cpu' ? 'HOST_OUT_OF_MEMORY' : matched;
}
