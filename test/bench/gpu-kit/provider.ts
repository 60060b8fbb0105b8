import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PROVIDERS } from '../../../src/inference/cuda-libraries.ts';
import { type Downloads, keepPart } from './downloads.ts';

/** Where ONNX Runtime's package has its libraries. */
export const BINARIES = 'bin/napi-v6/linux/x64';

const PLATFORMS = ['manylinux_2_28_x86_64', 'manylinux_2_27_x86_64'];

/** The version of ONNX Runtime's package in the checkout; throws where the packages are not installed. */
export async function onnxruntimeVersion(root: string): Promise<string> {
  const path = join(root, 'node_modules/onnxruntime-node/package.json');
  if (!existsSync(path)) throw new Error('the packages are not installed; run scripts/setup');
  return (JSON.parse(await readFile(path, 'utf8')) as { readonly version: string }).version;
}

/**
 * The folder with the CUDA provider of that version of ONNX Runtime: what scripts/setup --gpu fetched, else what was downloaded
 * before; null where there is neither.
 */
export async function foundProvider(root: string, cache: string, version: string): Promise<string | null> {
  const ready = join(root, '.local/cuda');
  const stamp = await readFile(join(ready, 'stamp'), 'utf8').catch(() => '');
  if (stamp.trim() === version) return join(ready, 'provider');
  const kept = keptProvider(cache, version);
  return existsSync(kept) ? kept : null;
}

/** As `foundProvider`, from the Python package of the same version where there is none: the same build. Throws with pip's words. */
export async function fetchProvider(root: string, downloads: Downloads, version: string): Promise<string> {
  const { cache } = downloads;
  const found = await foundProvider(root, cache, version);
  if (found !== null) return found;
  const wheel = { name: 'onnxruntime-gpu', version, platforms: PLATFORMS };
  return keepPart(downloads, wheel, keptProvider(cache, version), async (folder) => {
    const whole = join(folder, 'provider');
    await mkdir(whole);
    for (const name of PROVIDERS) await rename(join(folder, 'onnxruntime/capi', name), join(whole, name));
    return whole;
  });
}

const keptProvider = (cache: string, version: string): string => join(cache, `provider-${version}`);
