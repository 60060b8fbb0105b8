import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { inspectCudaLibraries, librariesProblem, parseLdd } from '../../../src/inference/cuda-libraries.ts';

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

test('a folder is looked through for both provider libraries', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'providers-'));
  await writeFile(join(dir, 'libonnxruntime_providers_shared.so'), 'not a library');
  expect(await inspectCudaLibraries(dir)).toEqual({ dir, absent: ['libonnxruntime_providers_cuda.so'], missing: [] });
  await rm(dir, { recursive: true });
});
