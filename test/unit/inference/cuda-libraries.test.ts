import { execFileSync, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import {
  bindingDir,
  fixOfLibraries,
  inspectCudaLibraries,
  librariesProblem,
  nameMissingLibraries,
  parseLdd,
} from '../../../src/inference/cuda-libraries.ts';

const SHARED_PROVIDER = 'libonnxruntime_providers_shared.so';
const CUDA_PROVIDER = 'libonnxruntime_providers_cuda.so';
const BINDING = join(bindingDir(), 'onnxruntime_binding.node');
const RUNTIME = join(bindingDir(), 'libonnxruntime.so.1');

const NOTHING_MISSING = { dir: '/ort', absent: [], missing: [] };
const hasCompiler = spawnSync('gcc', ['--version']).status === 0;

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'providers-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

test('unresolved libraries are read from what ldd says', () => {
  const text = [
    '\tlinux-vdso.so.1 (0x00007ffd)',
    '\tlibcublasLt.so.13 => not found',
    '\tlibcudnn.so.9 => not found',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)',
  ].join('\n');
  expect(parseLdd(text)).toEqual(['libcublasLt.so.13', 'libcudnn.so.9']);
});

test('absent providers and missing libraries make a sentence, nothing wrong makes none', () => {
  expect(librariesProblem({ dir: '/d', absent: ['a.so', 'b.so'], missing: [] })).toBe('a.so and b.so not in /d');
  expect(librariesProblem({ dir: '/d', absent: [], missing: ['libcudnn.so.9'] })).toContain('libcudnn.so.9');
  expect(librariesProblem({ dir: '/d', absent: [], missing: [] })).toBeNull();
});

test('names the fix of each kind of library', () => {
  const fix = (missing: string[]): string => fixOfLibraries({ dir: '/ort', absent: [], missing });
  expect(fix(['libcuda.so.1'])).toContain('NVIDIA driver');
  expect(fix(['libcudnn.so.9'])).toBe(
    'cuDNN 9 for CUDA 13: run scripts/setup --gpu, or put it on LD_LIBRARY_PATH, or choose DEVICE=cpu',
  );
  expect(fix(['libcudart.so.13', 'libcublas.so.13'])).toBe(
    'the CUDA 13 runtime libraries: run scripts/setup --gpu, or put them on LD_LIBRARY_PATH, or choose DEVICE=cpu',
  );
});

test('a folder is looked through for both provider libraries, and cuDNN is not missed where the CUDA one is absent', async () => {
  await writeFile(join(dir, SHARED_PROVIDER), 'not a library');
  const env = await envWith({ 'libcudnn.so.9': 'text', 'libcudnn.so': 'text' });
  expect(await inspectCudaLibraries(dir, env)).toEqual({ dir, absent: [CUDA_PROVIDER], missing: [] });
});

describe('with the CUDA provider', () => {
  beforeEach(async () => {
    // The binding beside nothing: its own ONNX Runtime, which it looks for in its folder, is what it misses.
    await copyFile(BINDING, join(dir, CUDA_PROVIDER));
    await writeFile(join(dir, SHARED_PROVIDER), 'not a library');
  });

  test.each<[string, Record<string, Stand>, string[]]>([
    ['cuDNN under its version', { 'libcudnn.so.9': 'library' }, []],
    ['cuDNN under its bare name', { 'libcudnn.so': 'library' }, []],
    ['a version that is no library, beside a bare name', { 'libcudnn.so.9': 'text', 'libcudnn.so': 'library' }, []],
    ['no library under either name', { 'libcudnn.so.9': 'text', 'libcudnn.so': 'text' }, ['libcudnn.so.9']],
  ])('%s on LD_LIBRARY_PATH', async (_name, files, missing) => {
    const found = await inspectCudaLibraries(dir, await envWith(files));
    expect(found).toEqual({ dir, absent: [], missing: ['libonnxruntime.so.1', ...missing] });
  });

  test('cuDNN in no folder of LD_LIBRARY_PATH is missed exactly where the host has none either', async () => {
    const { missing } = await inspectCudaLibraries(dir, await envWith({}));
    expect(missing.includes('libcudnn.so.9')).toBe(!hostHasCudnn());
  });

  test('a library that cuDNN itself needs is named', async () => {
    await writeFile(join(dir, CUDA_PROVIDER), 'not a library');
    const { missing } = await inspectCudaLibraries(dir, await envWith({ 'libcudnn.so.9': 'dependent' }));
    expect(missing).toEqual(['libonnxruntime.so.1']);
  });

  (hasCompiler ? test : test.skip)(
    `a cuDNN that the operator preloads will do${hasCompiler ? '' : ' (no gcc here)'}`,
    async () => {
      const env = await envWith({ 'libcudnn.so.9': 'text', 'libcudnn.so': 'text' });
      const preloaded = join(dir, 'preloaded.so');
      execFileSync('gcc', ['-shared', '-Wl,-soname,libcudnn.so.9', '-o', preloaded, '-x', 'c', '/dev/null']);
      const { missing } = await inspectCudaLibraries(dir, { ...env, LD_PRELOAD: preloaded });
      expect(missing).toEqual(['libonnxruntime.so.1']);
    },
  );

  test('nothing is known where the loader cannot be asked', async () => {
    const env = { ...(await envWith({ 'libcudnn.so.9': 'text', 'libcudnn.so': 'text' })), PATH: dir };
    expect(await inspectCudaLibraries(dir, env)).toEqual({ dir, absent: [], missing: [] });
  });
});

describe('nameMissingLibraries', () => {
  const failed = (text: string): Failure =>
    new Failure('CUDA_ERROR', `running detector.onnx on cuda failed: ${text}`, { cause: new Error(text) });
  const NO_CUDNN =
    'Status Message: cuDNN is unavailable for CUDA Execution Provider: dlopen failed for libcudnn.so: libcudnn.so: cannot open shared object file: No such file or directory';
  const NO_PROVIDER = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library';

  test.each([
    ['cuDNN', NO_CUDNN, 'libcudnn.so.9', 'cuDNN 9 for CUDA 13: run scripts/setup --gpu'],
    [
      'a library of the provider',
      NO_PROVIDER,
      'libcublas.so.13',
      'the CUDA 13 runtime libraries: run scripts/setup --gpu',
    ],
    ['the driver', NO_PROVIDER, 'libcuda.so.1', 'libcuda comes with the NVIDIA driver'],
  ])('%s: its name and its fix follow what was being done', async (_name, text, library, fix) => {
    const failure = failed(text);
    const named = await nameMissingLibraries(failure, async () => ({ dir: '/ort', absent: [], missing: [library] }));
    expect(named).toMatchObject({ code: 'CUDA_ERROR', class: 'system', cause: failure.cause });
    expect(named.message).toContain(
      `${failure.message}; the CUDA provider needs ${library}, not found by the loader; ${fix}`,
    );
    expect(named.message).toMatch(/, or choose DEVICE=cpu$/);
  });

  test('the fix is told of a cuDNN that is there and cannot be opened', async () => {
    const failure = failed('cuDNN is unavailable for CUDA Execution Provider: dlopen failed: file too short');
    const named = await nameMissingLibraries(failure, async () => NOTHING_MISSING);
    expect(named.message).toContain('scripts/setup --gpu');
  });

  test('what no rule knows is the fault of the CUDA provider, not of the model', async () => {
    const failure = new Failure('INFERENCE_FAILED', 'no available backend found. ERR: [cuda] backend not found.');
    expect(await nameMissingLibraries(failure, async () => NOTHING_MISSING)).toMatchObject({ code: 'CUDA_ERROR' });
  });

  test('the fix is told also where the loader finds everything', async () => {
    const named = await nameMissingLibraries(failed(NO_CUDNN), async () => NOTHING_MISSING);
    expect(named.message).toMatch(/cuDNN 9\) cannot be loaded: run scripts\/setup --gpu, .*DEVICE=cpu$/);
  });

  test.each(['CUDA failure 700: an illegal memory access was encountered', 'BFCArena: Failed to allocate memory'])(
    'nobody looks for libraries after: %s',
    async (text) => {
      const failure = failed(text);
      const asked = (): never => {
        throw new Error('asked');
      };
      expect(await nameMissingLibraries(failure, asked)).toBe(failure);
    },
  );
});

type Stand = 'library' | 'dependent' | 'text';

/** An environment whose LD_LIBRARY_PATH is one new folder with these files. */
async function envWith(files: Readonly<Record<string, Stand>>): Promise<NodeJS.ProcessEnv> {
  const folder = join(dir, 'libraries');
  await mkdir(folder);
  for (const [name, stand] of Object.entries(files)) {
    const path = join(folder, name);
    if (stand === 'library') await symlink(RUNTIME, path);
    else if (stand === 'dependent') await copyFile(BINDING, path);
    else await writeFile(path, 'text');
  }
  return { ...process.env, LD_LIBRARY_PATH: folder };
}

/** Asks in the way of ONNX Runtime: Node opens what is no addon of it too, and complains only afterwards. */
function hostHasCudnn(): boolean {
  const open = (name: string): string =>
    `try { process.dlopen({ exports: {} }, '${name}') } catch (e) { console.log(e.message) }`;
  const env = { ...process.env, LD_LIBRARY_PATH: '' };
  return ['libcudnn.so.9', 'libcudnn.so'].some((name) => {
    const { stdout } = spawnSync(process.execPath, ['-e', open(name)], { env, encoding: 'utf8' });
    return !stdout.includes('cannot open shared object file');
  });
}
