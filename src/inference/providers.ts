import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Failure } from '../failure/failure.ts';
import { hostFaultOf } from '../failure/host-fault.ts';
import { CONV_PROBE_MODEL } from './conv-probe-model.ts';
import { codeOfCuda, type CudaTrouble, libraryTrouble, troubleFailure } from './cuda-libraries.ts';
import { classifyOrtError } from '../failure/sources/onnxruntime.ts';

/** ONNX Runtime's own, for the rooms that look at an opened graph: only this one knows the package. */
export type { InferenceSession };

/** Where sessions run. CUDA means CUDA: nothing here falls back to the CPU. */
export interface ExecutionTarget {
  readonly device: 'cpu' | 'cuda';
  /** CUDA device number, 0 by default. */
  readonly deviceId?: number;
  /** Threads inside one operator on the CPU; 0 or absent lets ONNX Runtime take every core. */
  readonly threads?: number;
}

const SESSION_OPTIONS = {
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
  // A pattern is kept for ever for every combination of input shapes, and crops have a new one in nearly every run.
  enableMemPattern: false,
} as const;

/** Session options for the target; `extra` values must be strings for ONNX Runtime to read them. */
export function sessionOptions(target: ExecutionTarget): InferenceSession.SessionOptions {
  if (target.device === 'cuda') {
    return {
      ...SESSION_OPTIONS,
      executionProviders: [{ name: 'cuda', deviceId: target.deviceId ?? 0 }],
      // The CPU only launches kernels here: more threads would only compete with the decoder.
      intraOpNumThreads: 1,
    };
  }
  return {
    ...SESSION_OPTIONS,
    executionProviders: ['cpu'],
    ...(target.threads === undefined || target.threads === 0 ? {} : { intraOpNumThreads: target.threads }),
    // Idle pool threads that spin would starve the video decoder and the other inference thread.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

/** Opens a graph from a path or from its bytes. Blocks the calling thread while it loads. */
export async function openSession(model: string | Uint8Array, target: ExecutionTarget): Promise<InferenceSession> {
  try {
    return typeof model === 'string'
      ? await InferenceSession.create(model, sessionOptions(target))
      : await InferenceSession.create(model, sessionOptions(target));
  } catch (error) {
    const name = typeof model === 'string' ? model : 'a built-in graph';
    const failure = classifyOrtError(error, { device: target.device, doing: `opening ${name}` });
    // Whatever ONNX Runtime lacks while it reads a file, it says in one text with the file's name.
    if (hostFaultOf(failure) === null && isUnreadable(error, target)) {
      throw new Failure('PACK_BROKEN', `${name} is not an ONNX model`, { cause: error });
    }
    throw target.device === 'cuda' ? troubleFailure(await cudaTrouble(error, `opening ${name}`), error) : failure;
  }
}

/** On CUDA a text that names the model may also be of a provider that does not start. */
function isUnreadable(error: unknown, { device }: ExecutionTarget): boolean {
  const texts =
    device === 'cuda'
      ? /Protobuf parsing failed/
      : /Protobuf parsing failed|Load model from|INVALID_PROTOBUF|ModelProto/i;
  return error instanceof Error && texts.test(error.message);
}

async function cudaTrouble(error: unknown, doing: string): Promise<CudaTrouble> {
  const failure = classifyOrtError(error, { device: 'cuda', doing });
  const { message } = failure;
  return (await libraryTrouble(failure)) ?? { code: codeOfCuda(failure), reason: message, fix: cudaFix(message) };
}

/** What an operator can do about a CUDA provider that does not start, though its libraries are there. */
export function cudaFix(text: string): string {
  if (/driver version is insufficient|CUDA failure 35\b/i.test(text)) {
    return 'the NVIDIA driver is too old for this CUDA version: install driver 580 or newer';
  }
  if (/no CUDA-capable device|CUDA failure 100\b|invalid device ordinal|CUDA failure 101\b/i.test(text)) {
    return 'no such GPU is visible: check nvidia-smi, CUDA_VISIBLE_DEVICES and the configured device number';
  }
  if (/no kernel image/i.test(text)) return 'the provider library was not built for this GPU generation';
  if (/out of memory/i.test(text)) return 'the GPU has no free memory: stop what else uses it or lower the batch sizes';
  return 'check the driver with nvidia-smi, or choose DEVICE=cpu';
}

export type CudaProbe =
  | { readonly ok: true; readonly milliseconds: number }
  | { readonly ok: false; readonly reason: string; readonly fix: string; readonly failure: Failure };

/**
 * Runs one convolution on the CUDA provider, with the fallback to the CPU forbidden, so that the provider library, cuBLAS, cuDNN,
 * the driver and the device are all proved. Answers with the reason instead of throwing.
 */
export async function probeCudaProvider(deviceId = 0): Promise<CudaProbe> {
  const started = performance.now();
  try {
    const options = sessionOptions({ device: 'cuda', deviceId });
    const session = await InferenceSession.create(CONV_PROBE_MODEL, {
      ...options,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    });
    await runConvProbe(session);
    await session.release();
    return { ok: true, milliseconds: performance.now() - started };
  } catch (error) {
    const trouble = await cudaTrouble(error, 'running the one-node probe graph');
    return { ok: false, reason: trouble.reason, fix: trouble.fix, failure: troubleFailure(trouble, error) };
  }
}

/** 3x3 box sum over a 4x4 picture of ones: the middle of the answer is 9. */
export async function runConvProbe(session: InferenceSession): Promise<void> {
  const ones = (dims: number[], size: number): Tensor => new Tensor('float32', new Float32Array(size).fill(1), dims);
  const { y } = await session.run({ x: ones([1, 1, 4, 4], 16), w: ones([1, 1, 3, 3], 9) });
  const middle = Number(y?.data[5]);
  if (middle !== 9) throw new Failure('CUDA_ERROR', `the probe convolution answered ${middle}, expected 9`);
}
