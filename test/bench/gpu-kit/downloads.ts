import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** Where downloads are kept between builds, and who hears of a new one. */
export interface Downloads {
  readonly cache: string;
  readonly say: (line: string) => void;
}

export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** Tags of the platforms whose builds will do, as pip names them. */
  readonly platforms: readonly string[];
}

const LIMIT_MS = 900_000;
/** Nothing of a wheel runs in this Python: it only picks one of several builds that hold the same libraries. */
const PYTHON_VERSION = '3.12';

/** Gives the path of the wheel in the cache, which pip downloads when it is not there. Throws with pip's words. */
export async function downloadWheel({ cache, say }: Downloads, wheel: Wheel): Promise<string> {
  const prefix = `${wheel.name.replaceAll('-', '_')}-${wheel.version}-`;
  await mkdir(cache, { recursive: true });
  const found = (await readdir(cache)).find((name) => name.startsWith(prefix) && name.endsWith('.whl'));
  if (found !== undefined) return join(cache, found);
  const wanted = `${wheel.name}==${wheel.version}`;
  say(`downloading ${wanted}`);
  const choice = ['--no-deps', '--only-binary=:all:', '--python-version', PYTHON_VERSION, '--implementation', 'cp'];
  const platforms = wheel.platforms.flatMap((platform) => ['--platform', platform]);
  return download(cache, async (folder) => {
    const quiet = ['--quiet', '--disable-pip-version-check'];
    const args = ['-m', 'pip', 'download', ...quiet, ...choice, ...platforms, '--dest', folder, wanted];
    await runCommand('python3', args, { limitMs: LIMIT_MS });
  });
}

/** Gives the path of the archive of `name@version` in the cache, which npm packs when it is not there. Throws with npm's words. */
export async function downloadPackage({ cache, say }: Downloads, name: string): Promise<string> {
  const path = join(cache, `${name.replace(/^@/, '').replaceAll(/[/@]/g, '-')}.tgz`);
  if (existsSync(path)) return path;
  say(`downloading ${name}`);
  await mkdir(cache, { recursive: true });
  return download(cache, async (folder) => {
    await runCommand('npm', ['pack', name, '--silent', '--pack-destination', folder], { limitMs: LIMIT_MS });
  });
}

/**
 * Unpacks a wheel and gives what `use` makes of the folder, which is gone afterwards. By Python, which pip is a part of: a host
 * that got the wheel has it, other programs that read the format may be absent.
 */
export async function withUnpacked<Result>(
  { cache }: Downloads,
  wheel: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(cache, 'unpacked-'));
  try {
    await runCommand('python3', ['-m', 'zipfile', '--extract', wheel, folder], { limitMs: LIMIT_MS });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Keeps a part of a wheel as the folder `kept`, and not the wheel, which is downloaded where there is no such folder yet. `take` gives
 * the part within the unpacked wheel. Two that do it at once do no harm. Throws with the words of the command that failed.
 */
export async function keepPart(
  downloads: Downloads,
  wheel: Wheel,
  kept: string,
  take: (folder: string) => Promise<string>,
): Promise<string> {
  if (existsSync(kept)) return kept;
  const path = await downloadWheel(downloads, wheel);
  await withUnpacked(downloads, path, async (folder) => {
    await rename(await take(folder), kept).catch((error: unknown) => {
      if (!existsSync(kept)) throw error;
    });
  });
  await rm(path, { force: true });
  return kept;
}

/** In a folder of its own until it is whole: a download that is broken off must not be taken for one that is there. */
async function download(cache: string, fetch: (folder: string) => Promise<void>): Promise<string> {
  const folder = await mkdtemp(join(cache, 'incoming-'));
  try {
    await fetch(folder);
    const [name, ...others] = await readdir(folder);
    if (name === undefined || others.length > 0) {
      throw new Error(`one file was to be downloaded; there are ${name === undefined ? 0 : others.length + 1}`);
    }
    await rename(join(folder, name), join(cache, name));
    return join(cache, name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
