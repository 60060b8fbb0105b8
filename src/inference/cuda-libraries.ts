import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { FailureCode } from '../failure/codes.ts';
import { Failure } from '../failure/failure.ts';

export interface CudaLibraries {
  /** Folder from which ONNX Runtime loads its providers. */
  readonly dir: string;
  /** Provider libraries that are not in the folder. */
  readonly absent: readonly string[];
  /** Libraries that a present provider needs and the loader does not find, cuDNN among them. */
  readonly missing: readonly string[];
}

export const CUDA_PROVIDER = 'libonnxruntime_providers_cuda.so';
/** What ONNX Runtime loads from its own folder for CUDA. */
export const PROVIDERS = ['libonnxruntime_providers_shared.so', CUDA_PROVIDER] as const;
/** The names by which ONNX Runtime opens cuDNN, at run time and in this order: no file tells them. */
const CUDNN = ['libcudnn.so.9', 'libcudnn.so'] as const;
/** Three programs run in turn, within the time that preflight gives them. */
const LOADER_TIMEOUT_MS = 5000;

/** ONNX Runtime's texts for a provider that cannot be loaded, and for a node that asks for a cuDNN that could not be opened. */
const LIBRARY_LACKING =
  /Failed to load shared library|cannot open shared object|backend not found|libonnxruntime_providers|cuDNN is unavailable/i;

export const SETUP = 'run scripts/setup --gpu';

/** What to do where nobody knows which library is at fault. */
const LIBRARIES_FIX = `the CUDA provider or a library that it needs (CUDA 13 runtime, cuBLAS, cuRAND, cuDNN 9) cannot be loaded: ${SETUP}, or put the libraries on LD_LIBRARY_PATH, or choose DEVICE=cpu`;

/**
 * Why the CUDA provider cannot be loaded or cannot run a convolution, as far as the loader tells, which is asked in other
 * processes with the environment `env`, by default what this process began with for its loader. ONNX Runtime itself writes
 * the name of the missing library to stderr only and throws a text without it; without cuDNN it opens sessions as if nothing were wrong.
 */
export async function inspectCudaLibraries(dir = bindingDir(), env?: NodeJS.ProcessEnv): Promise<CudaLibraries> {
  const absent: string[] = [];
  const missing = new Set<string>();
  for (const name of PROVIDERS) {
    const path = join(dir, name);
    const present = await access(path).then(
      () => true,
      () => false,
    );
    if (!present) absent.push(name);
    else for (const library of await unresolved(path, env)) missing.add(library);
  }
  if (!absent.includes(CUDA_PROVIDER)) for (const library of await unresolvedCudnn(env)) missing.add(library);
  return { dir, absent, missing: [...missing] };
}

/** A sentence for an operator, null where every library is found. */
export function librariesProblem(libraries: CudaLibraries): string | null {
  const { dir, absent, missing } = libraries;
  if (absent.length > 0) return `${absent.join(' and ')} not in ${dir}`;
  return missing.length > 0 ? `the CUDA provider needs ${missing.join(', ')}, not found by the loader` : null;
}

/** What an operator can do about it. One fix per kind of library: they come from different packages and from different hands. */
export function fixOfLibraries(libraries: CudaLibraries): string {
  const { absent, missing } = libraries;
  if (absent.length > 0) {
    return `${SETUP}, which fetches the provider of exactly this ONNX Runtime, or choose DEVICE=cpu`;
  }
  if (missing.length === 0) return LIBRARIES_FIX;
  const fixes = new Set<string>();
  for (const name of missing) {
    if (name.startsWith('libcuda.so')) fixes.add('libcuda comes with the NVIDIA driver: install it, 580 or newer');
    else if (name.startsWith('libcudnn')) fixes.add(`cuDNN 9 for CUDA 13: ${SETUP}, or put it on LD_LIBRARY_PATH`);
    else fixes.add(`the CUDA 13 runtime libraries: ${SETUP}, or put them on LD_LIBRARY_PATH`);
  }
  return `${[...fixes].join('; ')}, or choose DEVICE=cpu`;
}

/** Why CUDA does not work on this host. */
export interface CudaTrouble {
  readonly code: FailureCode;
  readonly reason: string;
  /** What an operator can do about it. */
  readonly fix: string;
}

export function troubleFailure({ code, reason, fix }: CudaTrouble, cause: unknown): Failure {
  return new Failure(code, `${reason}; ${fix}`, { cause });
}

/** The code of a failure of CUDA itself: what no pattern knows is then not the model's fault. */
export function codeOfCuda({ code }: Failure): FailureCode {
  return code === 'INFERENCE_FAILED' ? 'CUDA_ERROR' : code;
}

/** Names the libraries that a failure of the CUDA provider comes from; null for a failure that comes from something else. */
export async function libraryTrouble(failure: Failure, inspect = inspectCudaLibraries): Promise<CudaTrouble | null> {
  if (!LIBRARY_LACKING.test(failure.message)) return null;
  const libraries = await inspect();
  const problem = librariesProblem(libraries);
  const reason = problem === null ? failure.message : `${failure.message}; ${problem}`;
  return { code: codeOfCuda(failure), reason, fix: fixOfLibraries(libraries) };
}

/** The failure with the names of the libraries that it comes from, and what to do; any other is handed back as it is. */
export async function nameMissingLibraries(failure: Failure, inspect = inspectCudaLibraries): Promise<Failure> {
  const trouble = await libraryTrouble(failure, inspect);
  return trouble === null ? failure : troubleFailure(trouble, failure.cause);
}

/** Names that `ldd` could not resolve. */
export function parseLdd(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
}

async function unresolved(path: string, env?: NodeJS.ProcessEnv): Promise<readonly string[]> {
  return parseLdd((await ask('ldd', [path], env)).stdout);
}

/**
 * Asks the loader of this very Node for cuDNN, as the provider will: along LD_LIBRARY_PATH, then in the loader's cache. With
 * LD_TRACE_LOADED_OBJECTS glibc loads what is preloaded, lists it, and runs nothing; another loader knows nothing of it, and
 * Node tells its version. What the operator preloads goes first: a cuDNN among it is found by its name in the provider too.
 */
async function unresolvedCudnn(env?: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const script = `LD_TRACE_LOADED_OBJECTS=1 LD_PRELOAD="$LD_PRELOAD ${CUDNN.join(' ')}" exec "$0" --version`;
  const { stdout, stderr } = await ask('sh', ['-c', script, process.execPath], env);
  const refused = (name: string): boolean => stderr.includes(`object '${name}' from LD_PRELOAD cannot be preloaded`);
  // A cuDNN that is there may itself need what is not.
  return CUDNN.every(refused) ? [CUDNN[0]] : parseLdd(stdout);
}

async function ask(
  program: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  try {
    const given = env ?? (await loaderEnvironment());
    return await promisify(execFile)(program, args, { timeout: LOADER_TIMEOUT_MS, env: given });
  } catch {
    // Without the program, or for a file that it refuses, nothing is known: ONNX Runtime's own error has to do.
    return { stdout: '', stderr: '' };
  }
}

/** The folder of the binding's own libraries, ONNX Runtime's and its providers'. */
export function bindingDir(): string {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return join(root, 'bin', 'napi-v6', process.platform, process.arch);
}

/** What this process began with, since its loader has seen nothing else; and of it what programs and loader read, no credentials. */
async function loaderEnvironment(): Promise<NodeJS.ProcessEnv> {
  const entries = (await readFile('/proc/self/environ', 'utf8'))
    .split('\0')
    .filter((entry) => /^(PATH|LD_\w+|GLIBC_TUNABLES)=/.test(entry));
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
