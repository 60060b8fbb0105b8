import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SOURCES = 'src/vision/kernel/assembly';

/** The generated file that carries the compiled kernel, from the root of the project. */
export const COMPILED = 'src/generated/kernel/compiled-kernel.ts';

/** Names what the kernel is made from, its compiler and this file included, by what is in it. */
export function sourcesDigest(root: string): string {
  const folder = join(root, SOURCES);
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
  const hash = createHash('sha256').update(devDependencies.assemblyscript);
  for (const path of [
    import.meta.filename,
    ...readdirSync(folder)
      .toSorted()
      .map((name) => join(folder, name)),
  ]) {
    hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

interface Package {
  readonly devDependencies: { readonly assemblyscript: string };
}

/** The text of the generated file. Rejects with what the compiler says of the sources. */
export async function compiledKernel(root: string): Promise<string> {
  const bytes = await compile(root);
  return [
    '/** The pixel kernel, written by `npm run generate:kernel`: a WebAssembly module in base64. */',
    `export const KERNEL = '${bytes.toString('base64')}';`,
    '',
    '/** Names what it was made from. */',
    `export const KERNEL_SOURCES = '${sourcesDigest(root)}';`,
    '',
  ].join('\n');
}

/** As a program of its own: the compiler's types declare another `Array` for everybody who imports them. */
async function compile(root: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'pixel-kernel-'));
  const outFile = join(folder, 'kernel.wasm');
  const options = ['-O3', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '1', '--outFile', outFile];
  try {
    const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
    await promisify(execFile)(process.execPath, [compiler, join(SOURCES, 'kernel.ts'), ...options], { cwd: root });
    return await readFile(outFile);
  } catch (error) {
    throw new Error('the pixel kernel cannot be compiled', { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
