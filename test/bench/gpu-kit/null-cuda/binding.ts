import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PROVIDERS } from '../../../../src/inference/cuda-libraries.ts';
import { BINARIES } from '../provider.ts';

const PACKAGE = 'node_modules/onnxruntime-node';

/** Whether a folder is such a package still: what it has links to may have been moved or removed. */
export function isBinding(folder: string): boolean {
  return ['libonnxruntime.so.1', ...PROVIDERS].every((name) => existsSync(join(folder, BINARIES, name)));
}

/**
 * Makes a folder that is the checkout's onnxruntime-node with the CUDA provider in it, which ONNX Runtime looks for beside its own
 * library. The checkout's package stays without: its other users are to find what was installed.
 */
export async function makeBinding(folder: string, root: string, provider: string): Promise<void> {
  const [source, binaries] = [join(root, PACKAGE), join(folder, BINARIES)];
  await mkdir(binaries, { recursive: true });
  await copyFile(join(source, 'package.json'), join(folder, 'package.json'));
  await cp(join(source, 'dist'), join(folder, 'dist'), { recursive: true });
  // A copy: Node opens what a link points to, and the loader then looks there for the library.
  await copyFile(join(source, BINARIES, 'onnxruntime_binding.node'), join(binaries, 'onnxruntime_binding.node'));
  await symlink(join(source, BINARIES, 'libonnxruntime.so.1'), join(binaries, 'libonnxruntime.so.1'));
  for (const name of PROVIDERS) await symlink(join(provider, name), join(binaries, name));
}
