import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';

interface Library {
  /** The name by which the loader looks for it. */
  readonly name: string;
  /** C file of this folder; null: every function just returns success. */
  readonly source: string | null;
  /** Functions that it must have. */
  readonly functions: readonly string[];
  /** Of them, those that count a product. */
  readonly products?: readonly string[];
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
  const blas = pick(/^cublas(?!Lt)/);
  const products = blas.filter((name) => /[gG]emm/.test(name));
  // The provider opens cuDNN when it runs: nothing but the texts in it tells the names.
  const texts = (await readFile(provider)).toString('latin1').matchAll(/\bcudnn[A-Z]\w+/g);
  const cudnn = [...new Set([...texts].map(([name]) => name))].sort();
  const curand = ['curandCreateGenerator', ...pick(/^curand/)];
  const driver = ['cuInit', 'cuDriverGetVersion', ...pick(/^cu[A-Z]/)];
  return [
    { name: RUNTIME, source: 'cudart.c', functions: pick(/^(__)?cuda[A-Z]/), versioned: true },
    { name: 'libcublas.so.13', source: 'cublas.c', functions: blas, products, versioned: true },
    { name: 'libcublasLt.so.13', source: 'cublas-lt.c', functions: pick(/^cublasLt/), versioned: true },
    { name: 'libcurand.so.10', source: null, functions: curand, versioned: true },
    { name: 'libcuda.so.1', source: null, functions: driver, versioned: false },
    { name: 'libcudnn.so.9', source: 'cudnn.c', functions: cudnn, versioned: true },
  ];
}

async function compile(library: Library, folder: string, headers: string): Promise<void> {
  const written = library.source === null ? '' : await readFile(join(import.meta.dirname, library.source), 'utf8');
  const work = await mkdtemp(join(tmpdir(), 'null-cuda-'));
  try {
    const [code, names] = [join(work, 'library.c'), join(work, 'names.map')];
    await writeFile(code, completed(written, library));
    await writeFile(names, `${library.name} { global: *; };\n`);
    const options = ['-O1', '-w', '-shared', '-fPIC', `-Wl,-soname,${library.name}`];
    if (library.versioned) options.push(`-Wl,--version-script,${names}`);
    for (const include of [import.meta.dirname, join(import.meta.dirname, 'include'), headers]) {
      options.push(`-I${include}`);
    }
    const linked = library.name === RUNTIME ? [] : [`-L${folder}`, `-l:${RUNTIME}`];
    const output = join(folder, library.name);
    await runCommand('gcc', [...options, '-o', output, code, ...linked, '-lpthread'], { limitMs: LIMIT_MS });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Adds the functions that the source does not define. */
function completed(source: string, { functions, products = [] }: Library): string {
  const defined = new Set([...source.matchAll(/\b(\w+)\([^;{]*\)\s*\{/g)].map(([, name = '']) => name));
  const missing = [...new Set(functions)].filter((name) => !defined.has(name));
  const stubs = missing.map((name) => {
    const effect = products.includes(name) ? 'null_product(); ' : '';
    return `int ${name}() { ${effect}return 0; }\n`;
  });
  return `${source}${stubs.join('')}`;
}
