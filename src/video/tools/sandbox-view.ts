import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, sep } from 'node:path';
import { startLimited } from './child-process.ts';
import { shortAnswer } from './short-answer.ts';
import { wayTo, type Way } from './way-to.ts';

/** Where loaders and libraries of a system are, and what a script that starts a tool needs. */
const SYSTEM = ['/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/bin', '/usr/local/lib', '/usr/local/bin'];
/** Links into those above, or folders of their own on systems that keep them apart. */
const ROOTS = ['/lib', '/lib32', '/lib64', '/bin'];
/** What the loader looks up, and the links that Debian's BLAS is found by. */
const LOADER = ['/etc/ld.so.cache', '/etc/alternatives'];
/** What CUDA asks the system about its devices, and where containers and WSL have its libraries. */
const OF_GPU = ['/sys', '/usr/local/nvidia', '/usr/local/cuda', '/usr/lib/wsl'];
/** Folders of users, of settings and of everybody's files: a tool in one of them is seen, and its neighbours are not. */
const OF_USERS = /^(?:\/[^/]*|\/home\/[^/]+|\/var\/[^/]+|\/etc\/.*)$/;

const TRACE_LIMITS = { cpuSeconds: 10, memoryBytes: null };

/**
 * Options of bubblewrap that show, read-only, what the programs are loaded from and nothing else: the system's libraries, the programs,
 * and for each whatever its loader finds elsewhere. A script brings the folder that it is in, unless people keep their own files there
 * or something of `hidden` is in it. What of that lies in the system's folders is covered.
 */
export async function viewOf(programs: readonly string[], hidden: readonly string[]): Promise<readonly string[]> {
  const roots = await Promise.all(ROOTS.map(rootView));
  const away = await realPaths(hidden);
  const kept = [...away, ...(await realPaths(ownFolders()))];
  const own = await Promise.all(programs.map((program) => viewOfProgram(program, kept)));
  const shown = [...SYSTEM, ...LOADER].flatMap((path) => ['--ro-bind-try', path, path]);
  const isOfSystem = (path: string): boolean =>
    [...SYSTEM, ...ROOTS, ...LOADER].some((folder) => isWithin(path, folder));
  const covered = away.filter(isOfSystem);
  const isSeen = (path: string): boolean => isOfSystem(path) && !covered.some((hiding) => isWithin(path, hiding));
  const unseen = (paths: readonly string[]): readonly string[] => [...new Set(paths)].filter((path) => !isSeen(path));
  const ways = own.flatMap(({ ways: all }) => all);
  // The links themselves: where a program really lies, it looks for its libraries, and a script for its neighbours.
  const links = new Map(ways.flatMap((way) => way.links));
  return [
    ...shown,
    ...roots.flat(),
    ...(await Promise.all(covered.map(coverOf))).flat(),
    ...unseen([...links.keys()]).flatMap((place) => ['--symlink', links.get(place) ?? '', place]),
    ...unseen(ways.flatMap(({ folders }) => folders)).flatMap((folder) => ['--dir', folder]),
    ...unseen(own.flatMap(({ paths }) => paths)).flatMap((path) => ['--ro-bind', path, path]),
  ];
}

/** Options that show the devices of the GPU, and what its driver needs. */
export async function gpuView(): Promise<readonly string[]> {
  const names = await readdir('/dev').catch((): string[] => []);
  const devices = names.filter((name) => name.startsWith('nvidia') || name === 'dxg').map((name) => `/dev/${name}`);
  return [
    ...OF_GPU.flatMap((path) => ['--ro-bind-try', path, path]),
    ...devices.flatMap((path) => ['--dev-bind-try', path, path]),
  ];
}

async function rootView(path: string): Promise<readonly string[]> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return [];
  return found.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
}

/** Options that hide a file or a folder; what is not there needs none. */
async function coverOf(path: string): Promise<readonly string[]> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return [];
  return found.isDirectory() ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path];
}

async function realPaths(paths: readonly string[]): Promise<readonly string[]> {
  return await Promise.all(paths.map(async (path) => (await wayTo(path)).end));
}

/** What this process calls its own, as far as there is such a thing: a user may have no home, and a folder may be gone. */
function ownFolders(): readonly string[] {
  return [tmpdir, homedir, () => process.cwd()].flatMap((folder) => {
    try {
      return [folder()];
    } catch {
      return [];
    }
  });
}

interface ProgramView {
  readonly ways: readonly Way[];
  /** Where they really are. */
  readonly paths: readonly string[];
}

async function viewOfProgram(program: string, kept: readonly string[]): Promise<ProgramView> {
  const way = await wayTo(program);
  const real = way.end;
  if (!(await isScript(real))) {
    const ways = [way, ...(await Promise.all((await librariesOf(program)).map(wayTo)))];
    return { ways, paths: ways.map(({ end }) => end) };
  }
  const folder = dirname(real);
  const isOwn = !OF_USERS.test(folder) && !kept.some((path) => isWithin(path, folder));
  return { ways: [way], paths: [isOwn ? folder : real] };
}

async function isScript(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('latin1') === '#!';
  } catch {
    return false;
  }
}

/** What the loader would load, by its own word; of a program without a loader, none. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const args = ['LD_TRACE_LOADED_OBJECTS=1', program];
  const child = await startLimited('/usr/bin/env', args, '/', TRACE_LIMITS).catch(() => null);
  if (child === null) return [];
  const text = await shortAnswer(child, 1e6);
  const found = [...text.matchAll(/^\s+(?:\S+ => )?(\/.+) \(0x/gm)].map((match) => match[1] ?? '');
  return found.filter((path) => !ROOTS.some((root) => isWithin(path, root)));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
