import { isAbsolute, join, relative, resolve } from 'node:path';
import { Failure } from '../failure/failure.ts';
import type { Pack, ReadPack } from './load-pack.ts';

/** The pack again, where its data came from elsewhere: nothing is read and nothing is checked a second time. */
export function packOf({ dir, manifest, fingerprint, filesRoot }: ReadPack): Pack {
  const path = join(dir, 'manifest.json');
  return { dir, manifest, fingerprint, filesRoot, filePath: (file) => containedPath(path, filesRoot, file.path) };
}

/** A manifest comes from elsewhere: it may not make the worker read outside the pack. */
function containedPath(manifest: string, root: string, path: string): string {
  const full = resolve(root, path);
  const inside = relative(root, full);
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) {
    throw new Failure('PACK_BROKEN', `${manifest}: the file path ${path} leaves the pack's folder ${root}`);
  }
  return full;
}
