import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface CudaLibraries {
  /** Folder from which ONNX Runtime loads its providers. */
  readonly dir: string;
  /** Provider libraries that are not in the folder. */
  readonly absent: readonly string[];
  /** Libraries that a present provider needs and the loader does not find. */
  readonly missing: readonly string[];
}

const PROVIDERS = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const;
const LDD_TIMEOUT_MS = 10_000;

/**
 * Why the CUDA provider cannot be loaded, as far as files tell. ONNX Runtime itself writes the name of the missing library to
 * stderr only and throws a text without it.
 */
export async function inspectCudaLibraries(dir = bindingDir()): Promise<CudaLibraries> {
  const absent: string[] = [];
  const missing = new Set<string>();
  for (const name of PROVIDERS) {
    const path = join(dir, name);
    const present = await access(path).then(
      () => true,
      () => false,
    );
    if (!present) absent.push(name);
    else for (const library of await unresolved(path)) missing.add(library);
  }
  return { dir, absent, missing: [...missing] };
}

/** A sentence for an operator, null where every library is found. */
export function librariesProblem(libraries: CudaLibraries): string | null {
  const { dir, absent, missing } = libraries;
  if (absent.length > 0) return `${absent.join(' and ')} not in ${dir}`;
  return missing.length > 0 ? `the CUDA provider needs ${missing.join(', ')}, not found by the loader` : null;
}

/** Names that `ldd` could not resolve. */
export function parseLdd(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
}

async function unresolved(path: string): Promise<readonly string[]> {
  try {
    const { stdout } = await promisify(execFile)('ldd', [path], { timeout: LDD_TIMEOUT_MS });
    return parseLdd(stdout);
  } catch {
    // Without ldd, or for a file that it refuses, nothing is known: ONNX Runtime's own error has to do.
    return [];
  }
}

/** The folder of the binding's own libraries, ONNX Runtime's and its providers'. */
export function bindingDir(): string {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return join(root, 'bin', 'napi-v6', process.platform, process.arch);
}
