/** The C interface of the very library that onnxruntime-node loads, for what its Node binding cannot set. Called through koffi, from the kit. */

import { join } from 'node:path';
import { bindingDir } from '../../../../src/inference/cuda-libraries.ts';
import type { TensorSpec } from '../../../../src/packs/pack-manifest.ts';
import { type Koffi, loadKoffi, openLibrary } from './koffi.ts';

declare const kind: unique symbol;
/** An address that only the library looks at. */
export interface Handle<Kind extends string> {
  readonly [kind]: Kind;
}

export interface OnnxRuntime {
  /** Null: the CPU. Else the options of the CUDA provider. */
  readonly sessionOptions: (cuda: Readonly<Record<string, string>> | null) => Handle<'SessionOptions'>;
  readonly openSession: (path: string, options: Handle<'SessionOptions'>) => Handle<'Session'>;
  /** A tensor in the given bytes, which must live as long as it does. */
  readonly hostTensor: (bytes: Uint8Array, dtype: TensorSpec['dtype'], dims: readonly number[]) => Handle<'Value'>;
  readonly gpuAllocator: (session: Handle<'Session'>) => Handle<'Allocator'>;
  readonly gpuTensor: (
    allocator: Handle<'Allocator'>,
    dtype: TensorSpec['dtype'],
    dims: readonly number[],
  ) => Handle<'Value'>;
  readonly createBinding: (session: Handle<'Session'>) => Handle<'IoBinding'>;
  readonly bindInput: (binding: Handle<'IoBinding'>, name: string, value: Handle<'Value'>) => void;
  readonly bindOutput: (binding: Handle<'IoBinding'>, name: string, value: Handle<'Value'>) => void;
  readonly run: (session: Handle<'Session'>, binding: Handle<'IoBinding'>) => void;
  readonly release: <Kind extends Releasable>(kind: Kind, handle: Handle<Kind>) => void;
}

type Releasable = 'SessionOptions' | 'Session' | 'Value' | 'IoBinding';

/** The number of a type in the C interface, and its bytes. */
export const ELEMENT_TYPES: Readonly<Record<TensorSpec['dtype'], { readonly id: number; readonly bytes: number }>> = {
  float32: { id: 1, bytes: 4 },
  uint8: { id: 2, bytes: 1 },
  int32: { id: 6, bytes: 4 },
  int64: { id: 7, bytes: 8 },
  bool: { id: 9, bytes: 1 },
  float16: { id: 10, bytes: 2 },
  float64: { id: 11, bytes: 8 },
};

/** Version of the interface that is asked for, and the number of functions that one has. */
const [API_VERSION, API_FUNCTIONS] = [22, 262];
/** Places in OrtApi: its order never changes, functions are only added at its end. */
const PLACES = {
  GetErrorMessage: 2,
  CreateEnv: 3,
  CreateSession: 7,
  CreateSessionOptions: 10,
  SetSessionGraphOptimizationLevel: 23,
  SetIntraOpNumThreads: 24,
  CreateTensorAsOrtValue: 48,
  CreateTensorWithDataAsOrtValue: 49,
  CreateMemoryInfo: 68,
  CreateCpuMemoryInfo: 69,
  ReleaseStatus: 93,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseSessionOptions: 100,
  CreateAllocator: 131,
  RunWithBinding: 133,
  CreateIoBinding: 134,
  ReleaseIoBinding: 135,
  BindInput: 136,
  BindOutput: 137,
  SessionOptionsAppendExecutionProvider_CUDA_V2: 204,
  CreateCUDAProviderOptions: 205,
  UpdateCUDAProviderOptions: 206,
} as const;

/** Values of the C interface's enumerations. */
const [LOG_ERRORS, ALL_OPTIMISATIONS, ARENA_ALLOCATOR, DEFAULT_MEMORY] = [3, 99, 1, 0] as const;
/** Opening a session goes deeper than koffi's own megabyte. */
const STACK_BYTES = 16 << 20;

/** `kitDir` has koffi in `ffi/node_modules`. */
export function openOnnxRuntime(kitDir: string): OnnxRuntime {
  const koffi = loadKoffi(kitDir);
  koffi.config({ sync_stack_size: STACK_BYTES });
  return describeApi(apiCaller(koffi));
}

interface ApiCaller {
  /** Calls a function that answers with a status; throws what a status says. */
  readonly checked: (name: keyof typeof PLACES, types: string) => (...values: readonly unknown[]) => void;
  /** As `checked`, for a function whose last argument is the place of what it makes. */
  readonly making: <Kind extends string>(
    name: keyof typeof PLACES,
    types: string,
  ) => (...values: readonly unknown[]) => Handle<Kind>;
  readonly releasing: (name: keyof typeof PLACES, handle: unknown) => void;
}

function apiCaller(koffi: Koffi): ApiCaller {
  const library = openLibrary(koffi, join(bindingDir(), 'libonnxruntime.so.1'));
  const getBase = library.func('void *OrtGetApiBase()');
  const [getApi] = koffi.decode(getBase(), 'void *', 2) as readonly unknown[];
  const api = koffi.call(getApi, koffi.proto('void *GetApi(uint32_t)'), API_VERSION);
  const table = koffi.decode(api, 'void *', API_FUNCTIONS) as readonly unknown[];
  const errorText = koffi.proto('const char *ErrorText(void *)');
  const release = koffi.proto('void Release(void *)');
  const releasing: ApiCaller['releasing'] = (name, handle) => void koffi.call(table[PLACES[name]], release, handle);
  const checked: ApiCaller['checked'] = (name, types) => {
    const type = koffi.proto(`void *${name}_(${types})`);
    return (...values) => {
      const status = koffi.call(table[PLACES[name]], type, ...values);
      if (status === null || status === 0n) return;
      const text = String(koffi.call(table[PLACES.GetErrorMessage], errorText, status));
      releasing('ReleaseStatus', status);
      throw new Error(text);
    };
  };
  const making = <Kind extends string>(name: keyof typeof PLACES, types: string) => {
    const call = checked(name, `${types}_Out_ void **`);
    return (...values: readonly unknown[]): Handle<Kind> => {
      const made: unknown[] = [null];
      call(...values, made);
      return made[0] as Handle<Kind>;
    };
  };
  return { checked, making, releasing };
}

function describeApi({ checked, making, releasing }: ApiCaller): OnnxRuntime {
  const createOptions = making<'SessionOptions'>('CreateSessionOptions', '');
  const setLevel = checked('SetSessionGraphOptimizationLevel', 'void *, int');
  const setThreads = checked('SetIntraOpNumThreads', 'void *, int');
  const createCudaOptions = making<'CudaOptions'>('CreateCUDAProviderOptions', '');
  const updateCuda = checked('UpdateCUDAProviderOptions', 'void *, const char **, const char **, size_t');
  const appendCuda = checked('SessionOptionsAppendExecutionProvider_CUDA_V2', 'void *, void *');
  const createSession = making<'Session'>('CreateSession', 'void *, const char *, void *, ');
  const createMemory = making<'MemoryInfo'>('CreateMemoryInfo', 'const char *, int, int, int, ');
  const createAllocator = making<'Allocator'>('CreateAllocator', 'void *, void *, ');
  const tensorInBytes = making<'Value'>(
    'CreateTensorWithDataAsOrtValue',
    'void *, void *, size_t, int64_t *, size_t, int, ',
  );
  const tensorOf = making<'Value'>('CreateTensorAsOrtValue', 'void *, int64_t *, size_t, int, ');
  const bind = 'void *, const char *, void *';
  const run = checked('RunWithBinding', 'void *, void *, void *');

  // These, a session's allocator and the provider's options are a few bytes, left to the end of the process.
  const env = making<'Env'>('CreateEnv', 'int, const char *, ')(LOG_ERRORS, 'provider-options');
  const hostMemory = making<'MemoryInfo'>('CreateCpuMemoryInfo', 'int, int, ')(ARENA_ALLOCATOR, DEFAULT_MEMORY);
  return {
    sessionOptions: (cuda) => {
      const options = createOptions();
      setLevel(options, ALL_OPTIMISATIONS);
      if (cuda === null) return options;
      setThreads(options, 1);
      const provider = createCudaOptions();
      const keys = Object.keys(cuda);
      if (keys.length > 0) updateCuda(provider, keys, Object.values(cuda), keys.length);
      appendCuda(options, provider);
      return options;
    },
    openSession: (path, options) => createSession(env, path, options),
    hostTensor: (bytes, dtype, dims) => {
      const shape = BigInt64Array.from(dims, BigInt);
      return tensorInBytes(hostMemory, bytes, bytes.length, shape, shape.length, ELEMENT_TYPES[dtype].id);
    },
    gpuAllocator: (session) => createAllocator(session, createMemory('Cuda', ARENA_ALLOCATOR, 0, DEFAULT_MEMORY)),
    gpuTensor: (allocator, dtype, dims) => {
      const shape = BigInt64Array.from(dims, BigInt);
      return tensorOf(allocator, shape, shape.length, ELEMENT_TYPES[dtype].id);
    },
    createBinding: making('CreateIoBinding', 'void *, '),
    bindInput: checked('BindInput', bind),
    bindOutput: checked('BindOutput', bind),
    run: (session, binding) => run(session, null, binding),
    release: (kind, handle) => releasing(`Release${kind}`, handle),
  };
}
