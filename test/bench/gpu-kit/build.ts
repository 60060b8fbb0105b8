import { existsSync } from 'node:fs';
import { cp, mkdir, rm, stat } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Archive, MIB, type PartSummary, planParts, summariseParts, writeParts } from './parts.ts';
import {
  hasSamples,
  type Piece,
  PIECES,
  stageFfi,
  stageFfmpeg,
  stageFfprobe,
  stageProject,
  stageProvider,
  stageSamples,
  type Staging,
} from './pieces.ts';
import { onnxruntimeVersion } from './provider.ts';
import { runCommand } from './run-command.ts';

export const BUILD_USAGE = 'build [--limit MIB] [--architecture 90 | --whole] [--samples DIR]';

export interface BuiltKit {
  readonly seconds: number;
  readonly onnxruntime: string;
  readonly parts: readonly PartSummary[];
}

const PACK_LIMIT_MS = 1_800_000;
const NICENESS = 5;
/** A call to the host carries 64 MiB at most: one part and the scripts that unpack it. */
const DEFAULT_LIMIT_MIB = 58;
/** H100 and H200. */
const DEFAULT_ARCHITECTURE = '90';
/** The largest ones begin first, so that two at a time end at about the same time. */
const SLOW_TO_PACK: readonly Piece[] = ['provider', 'project'];

const root = resolve(import.meta.dirname, '../../..');

/**
 * Makes what a GPU host without network needs to run this project: `.gpu/parts/1`, `2` and so on, and `.gpu/kit`, the scripts
 * that run there. `.gpu/cache` keeps the downloads. Throws for options that it does not know, a checkout that is not set up, and
 * with the words of the command that failed.
 */
export async function buildKit(args: readonly string[]): Promise<BuiltKit> {
  const options = readOptions(args);
  const started = performance.now();
  const say = (line: string): void => console.error(`gpu-kit: ${line}`);
  const gpu = join(root, '.gpu');
  const [stage, packed, kit] = [join(gpu, 'stage'), join(gpu, 'packed'), join(gpu, 'kit')];
  const staging: Staging = { root, cache: join(gpu, 'cache'), stage, onnxruntime: await onnxruntimeVersion(root), say };
  // Minutes of compression, on a machine that has other work.
  setPriority(Math.max(getPriority(), NICENESS));
  await rm(stage, { recursive: true, force: true });
  try {
    await stageProject(staging);
    await stageProvider(staging, options.architecture);
    await stageFfi(staging);
    await stageFfmpeg(staging);
    await stageFfprobe(staging);
    if (options.samples !== null) await stageSamples(staging, options.samples);
    else say('no samples: the kit goes without the street pack and its clip; --samples names their folder');
    say(`staged after ${seconds(started)} s, packing`);
    const archives = await packAll(stage, packed);
    say(archives.map(({ name, bytes }) => `${name} ${(bytes / 1e6).toFixed(1)} MB`).join(', '));
    const parts = planParts(archives, options.limit);
    const folder = join(gpu, 'parts');
    await rm(folder, { recursive: true, force: true });
    const { onnxruntime } = staging;
    await writeParts(parts, { folder, archivePath: (name) => join(packed, archiveFile(name)), onnxruntime });
    await rm(kit, { recursive: true, force: true });
    await cp(join(import.meta.dirname, 'host'), kit, {
      recursive: true,
      filter: (path) => basename(path) !== '__pycache__',
    });
    return { seconds: seconds(started), onnxruntime, parts: summariseParts(parts) };
  } finally {
    await rm(stage, { recursive: true, force: true });
    await rm(packed, { recursive: true, force: true });
  }
}

interface BuildOptions {
  /** Bytes of a part. */
  readonly limit: number;
  /** Null: all. */
  readonly architecture: number | null;
  /** Null: there are none. */
  readonly samples: string | null;
}

function readOptions(args: readonly string[]): BuildOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      limit: { type: 'string', default: String(DEFAULT_LIMIT_MIB) },
      architecture: { type: 'string' },
      whole: { type: 'boolean', default: false },
      samples: { type: 'string' },
    },
  });
  const limit = Math.floor(Number(values.limit) * MIB);
  if (!(limit >= MIB)) throw new Error(`--limit is a number of MiB, at least 1, not ${values.limit}`);
  if (values.whole && values.architecture !== undefined) {
    throw new Error('--whole keeps the code of all architectures: it goes without --architecture');
  }
  const architecture = values.architecture ?? DEFAULT_ARCHITECTURE;
  if (!/^\d{2,3}$/.test(architecture)) {
    throw new Error(`--architecture is a compute capability without its point, such as 90, not ${architecture}`);
  }
  return { limit, architecture: values.whole ? null : Number(architecture), samples: findSamples(values.samples) };
}

/** The folder that is named, else the first of the usual ones that there is. */
function findSamples(named: string | undefined): string | null {
  if (named !== undefined) {
    if (!hasSamples(named)) throw new Error(`--samples: ${named} does not hold packs/street and videos`);
    return named;
  }
  const usual = [process.env['GPU_KIT_SAMPLES'] ?? '', join(root, '../shared')];
  return usual.find((folder) => folder !== '' && hasSamples(folder)) ?? null;
}

const archiveFile = (piece: string): string => `${piece}.tar.xz`;

/** Packs the pieces that were staged and gives their archives in the pieces' order. */
async function packAll(stage: string, packed: string): Promise<readonly Archive[]> {
  await mkdir(packed, { recursive: true });
  const staged = PIECES.filter((piece) => existsSync(join(stage, piece)));
  const queue = [...staged].sort((a, b) => Number(SLOW_TO_PACK.includes(b)) - Number(SLOW_TO_PACK.includes(a)));
  const failed = new AbortController();
  const packer = async (): Promise<void> => {
    for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
      await pack(join(stage, piece), join(packed, archiveFile(piece)), failed.signal);
    }
  };
  const packers = [packer(), packer()];
  try {
    await Promise.all(packers);
  } catch (error) {
    failed.abort();
    // The folders are removed next: nobody may still write into them.
    await Promise.allSettled(packers);
    throw error;
  }
  return Promise.all(staged.map(async (name) => ({ name, bytes: (await stat(join(packed, archiveFile(name)))).size })));
}

/** The same content gives the same bytes, whoever packs it and when. */
async function pack(folder: string, archive: string, signal: AbortSignal): Promise<void> {
  const same = ['--sort=name', '--owner=0', '--group=0', '--mtime=@0'];
  const args = ['--create', ...same, '--use-compress-program', 'xz -T1 -6', '--file', archive, '--directory', folder];
  await runCommand('tar', [...args, '.'], { limitMs: PACK_LIMIT_MS, signal });
}

const seconds = (started: number): number => Math.round((performance.now() - started) / 1000);
