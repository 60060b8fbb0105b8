import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Downloads, downloadWheel, withUnpacked } from '../downloads.ts';
import { CUDA_PROVIDER, fetchProvider, foundProvider, onnxruntimeVersion } from '../provider.ts';
import { runCommand } from '../run-command.ts';
import { makeBinding } from './binding.ts';
import { COUNTS_VARIABLE } from './counts.ts';
import { compileLibraries } from './libraries.ts';

/** CUDA without a GPU: libraries that compute nothing, and an onnxruntime-node with the provider that calls them. */
export interface StandIns {
  /** Folder of the libraries. */
  readonly libraries: string;
  /** Folder of the package. */
  readonly binding: string;
}

/** What they are made of, each the path of a folder. */
interface Parts {
  readonly provider: string;
  readonly headers: string;
}

const root = resolve(import.meta.dirname, '../../../..');
const CACHE = join(root, '.gpu/cache');
const MADE = join(root, '.local/null-cuda');
const VERSION_LIMIT_MS = 10_000;
/** They have NVIDIA's licence, so they are not copied into the project. */
const HEADERS = {
  name: 'nvidia-cuda-runtime',
  version: '13.0.96',
  platforms: ['manylinux2014_x86_64', 'manylinux_2_27_x86_64'],
} as const;

/** Makes the stand-ins where they are not made yet, and downloads what they need. Throws with the words of what failed. */
export async function fetchStandIns(say: (line: string) => void): Promise<StandIns> {
  const downloads: Downloads = { cache: CACHE, say };
  const version = await onnxruntimeVersion(root);
  return makeStandIns({
    provider: await fetchProvider(root, downloads, version),
    headers: await fetchHeaders(downloads),
  });
}

/** Makes the stand-ins of what was downloaded before; a sentence that says what is missing where they cannot be made. */
export async function readyStandIns(): Promise<StandIns | string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the CUDA provider is for Linux on x86_64';
  const provider = await foundProvider(root, CACHE, await onnxruntimeVersion(root));
  if (provider === null) return 'the CUDA provider is not here: run scripts/setup --tests';
  if (!existsSync(keptHeaders())) return "the CUDA runtime's headers are not here: run scripts/setup --tests";
  for (const tool of ['gcc', 'nm']) {
    const there = await runCommand(tool, ['--version'], { limitMs: VERSION_LIMIT_MS }).catch(() => null);
    if (there === null) return `${tool} is not here: run scripts/setup --tests`;
  }
  return makeStandIns({ provider, headers: keptHeaders() });
}

/** Variables with which a Node process, its threads and its children use the stand-ins; they count in the given file. */
export function standInVariables(
  { libraries, binding }: StandIns,
  countsFile: string,
): Readonly<Record<string, string>> {
  const hook = pathToFileURL(join(import.meta.dirname, 'use-binding.ts')).href;
  return {
    LD_LIBRARY_PATH: libraries,
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${hook}`.trim(),
    NULL_CUDA_BINDING: binding,
    [COUNTS_VARIABLE]: countsFile,
  };
}

/** In a folder that their sources name, so that what is there is never of other ones; two that make it at once do no harm. */
async function makeStandIns(parts: Parts): Promise<StandIns> {
  const made = join(MADE, await stateOfSources());
  if (!existsSync(made)) {
    await mkdir(MADE, { recursive: true });
    const making = await mkdtemp(join(MADE, 'making-'));
    try {
      const { libraries, binding } = placesIn(making);
      await mkdir(libraries);
      await compileLibraries(libraries, { provider: join(parts.provider, CUDA_PROVIDER), headers: parts.headers });
      await makeBinding(binding, root, parts.provider);
      await rename(making, made).catch((error: unknown) => {
        if (!existsSync(made)) throw error;
      });
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  return placesIn(made);
}

function placesIn(folder: string): StandIns {
  return { libraries: join(folder, 'lib'), binding: join(folder, 'onnxruntime-node') };
}

async function stateOfSources(): Promise<string> {
  const hash = createHash('sha256')
    .update(await onnxruntimeVersion(root))
    .update(HEADERS.version);
  const names = await readdir(import.meta.dirname, { recursive: true });
  for (const name of names.filter((file) => /\.[ch]$|^(libraries|binding)\.ts$/.test(file)).toSorted()) {
    hash.update(name).update(await readFile(join(import.meta.dirname, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function fetchHeaders(downloads: Downloads): Promise<string> {
  const kept = keptHeaders();
  if (existsSync(kept)) return kept;
  const wheel = await downloadWheel(downloads, HEADERS);
  await withUnpacked(downloads, wheel, async (folder) => rename(join(folder, 'nvidia/cu13/include'), kept));
  await rm(wheel);
  return kept;
}

const keptHeaders = (): string => join(CACHE, `${HEADERS.name}-${HEADERS.version}`);
