import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CUDA_PROVIDER } from '../../../../src/inference/cuda-libraries.ts';
import { type Downloads, keepPart } from '../downloads.ts';
import { fetchProvider, foundProvider, onnxruntimeVersion } from '../provider.ts';
import { runCommand } from '../run-command.ts';
import { ANSWERS_VARIABLE } from './answers.ts';
import { isBinding, makeBinding } from './binding.ts';
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
const MAKING = 'making-';
const VERSION_LIMIT_MS = 10_000;
/** They have NVIDIA's licence, so they are not copied into the project. */
const HEADERS = {
  name: 'nvidia-cuda-runtime',
  version: '13.0.96',
  platforms: ['manylinux2014_x86_64', 'manylinux_2_27_x86_64'],
} as const;
const KEPT_HEADERS = join(CACHE, `${HEADERS.name}-${HEADERS.version}`);
const HAS_PROVIDER = process.platform === 'linux' && process.arch === 'x64';
const NO_PROVIDER = "ONNX Runtime's CUDA provider is for Linux on x86_64";

/**
 * Makes the stand-ins where they are not made yet, and downloads what they need. Throws where ONNX Runtime has no CUDA provider, and
 * with the words of what failed.
 */
export async function fetchStandIns(say: (line: string) => void): Promise<StandIns> {
  if (!HAS_PROVIDER) throw new Error(NO_PROVIDER);
  const downloads: Downloads = { cache: CACHE, say };
  const provider = await fetchProvider(root, downloads, await onnxruntimeVersion(root));
  const headers = await keepPart(downloads, HEADERS, KEPT_HEADERS, async (folder) =>
    join(folder, 'nvidia/cu13/include'),
  );
  return makeStandIns({ provider, headers });
}

/** Why the stand-ins cannot be made without a download, a sentence; null where they can. */
export async function whyNoStandIns(): Promise<string | null> {
  if (!HAS_PROVIDER) return NO_PROVIDER;
  if ((await readyParts()) === null) return 'the CUDA provider or its headers are not here: run scripts/setup --tests';
  for (const tool of ['gcc', 'nm']) {
    const there = await runCommand(tool, ['--version'], { limitMs: VERSION_LIMIT_MS }).catch(() => null);
    if (there === null) return `${tool} is not here: run scripts/setup --tests`;
  }
  return null;
}

/** Makes the stand-ins of what was downloaded before. Throws where `whyNoStandIns` has a reason. */
export async function readyStandIns(): Promise<StandIns> {
  const parts = await readyParts();
  if (parts === null) throw new Error((await whyNoStandIns()) ?? 'what the stand-ins are made of has gone');
  return makeStandIns(parts);
}

async function readyParts(): Promise<Parts | null> {
  const provider = await foundProvider(root, CACHE, await onnxruntimeVersion(root));
  return provider === null || !existsSync(KEPT_HEADERS) ? null : { provider, headers: KEPT_HEADERS };
}

/** Variables with which a Node process, its threads and its children use the stand-ins, which count and are told answers in the folder. */
export function standInVariables({ libraries, binding }: StandIns, folder: string): Readonly<Record<string, string>> {
  const hook = pathToFileURL(join(import.meta.dirname, 'use-binding.ts')).href;
  return {
    LD_LIBRARY_PATH: libraries,
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${hook}`.trim(),
    NULL_CUDA_BINDING: binding,
    [COUNTS_VARIABLE]: countsFile(folder),
    [ANSWERS_VARIABLE]: join(folder, 'answers'),
  };
}

/** Where the stand-ins count that were given such a folder. */
export function countsFile(folder: string): string {
  return join(folder, 'counts');
}

/** In a folder that their sources name, so that what is there is never of other ones. Two that make it at once do no harm. */
async function makeStandIns(parts: Parts): Promise<StandIns> {
  const made = join(MADE, await stateOfSources());
  if (existsSync(made) && !isBinding(placesIn(made).binding)) await rm(made, { recursive: true, force: true });
  if (!existsSync(made)) {
    await mkdir(MADE, { recursive: true });
    const making = await mkdtemp(join(MADE, MAKING));
    try {
      const { libraries, binding } = placesIn(making);
      await mkdir(libraries);
      await compileLibraries(libraries, { provider: join(parts.provider, CUDA_PROVIDER), headers: parts.headers });
      await makeBinding(binding, root, parts.provider);
      // A temporary folder is for its owner alone.
      await chmod(making, 0o755);
      await rename(making, made).catch((error: unknown) => {
        if (!existsSync(made)) throw error;
      });
    } finally {
      await rm(making, { recursive: true, force: true });
    }
    await removeOthers(basename(made));
  }
  return placesIn(made);
}

async function removeOthers(kept: string): Promise<void> {
  const others = (await readdir(MADE)).filter((name) => name !== kept && !name.startsWith(MAKING));
  for (const name of others) await rm(join(MADE, name), { recursive: true, force: true });
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
