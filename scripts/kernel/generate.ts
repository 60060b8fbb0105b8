import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { COMPILED, compiledKernel, sourcesDigest } from './compile.ts';

const root = resolve(import.meta.dirname, '../..');
const path = resolve(root, COMPILED);

/** The compiler's program needs longer than everything else of a build: it runs when its sources are others. */
if (!present().includes(sourcesDigest(root))) {
  const text = await compiledKernel(root);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function present(): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
