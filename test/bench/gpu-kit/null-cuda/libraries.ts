import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';

interface Library {
  /** The name by which the loader looks for it. */
  readonly name: string;
  /** C files of this folder. */
  readonly sources: readonly string[];
  /** Functions that it must have: those that the sources lack count what `effectOf` says, and return success. */
  readonly functions: readonly string[];
  /** Whether its symbols carry its name as their version, as the real one's do. */
  readonly versioned: boolean;
}

const LIMIT_MS = 300_000;
const RUNTIME = 'libcudart.so.13';
/**
 * Compiles stand-ins for the CUDA libraries that ONNX Runtime's provider needs into a folder, by gcc and nm, with the headers of
 * the CUDA runtime. Throws with the words of the command that failed.
 */
export async function compileLibraries(
  folder: string,
  parts: { readonly provider: string; readonly headers: string },
): Promise<void> {
  for (const library of await wantedLibraries(parts.provider)) await compile(library, folder, parts.headers);
}

/** The runtime comes first: the others are linked with it. */
async function wantedLibraries(provider: string): Promise<readonly Library[]> {
  const symbols = await runCommand('nm', ['-D', '--undefined-only', provider], { limitMs: LIMIT_MS });
  const undefinedNames = new Set([...symbols.matchAll(/ U (\w+)/g)].map(([, name = '']) => name));
  const pick = (pattern: RegExp): readonly string[] => [...undefinedNames].filter((name) => pattern.test(name)).sort();
  // The provider opens cuDNN when it runs: nothing but the texts in it tells the names.
  const texts = (await readFile(provider)).toString('latin1').matchAll(/\bcudnn[A-Z]\w+/g);
  const cudnn = [...new Set([...texts].map(([name]) => name))].sort();
  const curand = ['curandCreateGenerator', ...pick(/^curand/)];
  const driver = ['cuInit', 'cuDriverGetVersion', ...pick(/^cu[A-Z]/)];
  const runtime = ['counters.c', 'answers.c', 'memory.c', 'cudart.c'];
  return [
    { name: RUNTIME, sources: runtime, functions: pick(/^(__)?cuda[A-Z]/), versioned: true },
    { name: 'libcublas.so.13', sources: ['cublas.c'], functions: pick(/^cublas(?!Lt)/), versioned: true },
    { name: 'libcublasLt.so.13', sources: ['cublas-lt.c'], functions: pick(/^cublasLt/), versioned: true },
    { name: 'libcurand.so.10', sources: [], functions: curand, versioned: true },
    { name: 'libcuda.so.1', sources: [], functions: driver, versioned: false },
    { name: 'libcudnn.so.9', sources: ['cudnn.c'], functions: cudnn, versioned: true },
  ];
}

/** What calls count that give the GPU work to do; null for those that make, describe and ask. */
function effectOf(name: string): string | null {
  if (/^cublas.*gemm/i.test(name)) return 'null_product';
  if (/^cudnnConvolution.*Forward$/.test(name)) return 'null_convolution';
  if (/^cudnn(Add|Reduce)Tensor$|^cudnn.*Forward(Inference|Training)?$/.test(name)) return 'null_call';
  return /^cublas[SD](copy|geam|getr|scal)|^cublasLtMatrixTransform$|^curandGenerate/.test(name) ? 'null_call' : null;
}

async function compile(library: Library, folder: string, headers: string): Promise<void> {
  const { name, versioned } = library;
  const sources = library.sources.map((source) => join(import.meta.dirname, source));
  const work = await mkdtemp(join(tmpdir(), 'null-cuda-'));
  try {
    const [others, versions] = [join(work, 'others.c'), join(work, 'names.map')];
    await writeFile(others, await otherFunctions(library.functions, sources));
    await writeFile(versions, `${name} { global: *; };\n`);
    const options = ['-O1', '-w', '-D_GNU_SOURCE', '-shared', '-fPIC', `-Wl,-soname,${name}`];
    if (versioned) options.push(`-Wl,--version-script,${versions}`);
    for (const include of [import.meta.dirname, join(import.meta.dirname, 'include'), headers]) {
      options.push(`-I${include}`);
    }
    const linked = name === RUNTIME ? [] : [`-L${folder}`, `-l:${RUNTIME}`];
    const output = join(folder, name);
    await runCommand('gcc', [...options, '-o', output, ...sources, others, ...linked, '-lpthread'], {
      limitMs: LIMIT_MS,
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** C code of the functions that the sources do not define. */
async function otherFunctions(functions: readonly string[], sources: readonly string[]): Promise<string> {
  const defined = new Set<string>();
  for (const source of sources) {
    const code = await readFile(source, 'utf8');
    for (const [, name = ''] of code.matchAll(/\b(\w+)\([^;{]*\)\s*\{/g)) defined.add(name);
  }
  const missing = [...new Set(functions)].filter((name) => !defined.has(name));
  const lines = missing.map((name) => {
    const effect = effectOf(name);
    return `int ${name}() { ${effect === null ? '' : `${effect}(); `}return 0; }\n`;
  });
  return `#include "stand-in.h"\n\n${lines.join('')}`;
}
