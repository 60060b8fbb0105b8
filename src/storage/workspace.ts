import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FAILURE_CODES } from '../failure/codes.ts';
import { Failure } from '../failure/failure.ts';
import { signOfNodeError } from '../failure/sources/node.ts';

/** A private directory of one job: mode 0700, removed in every outcome. */
export interface Workspace extends AsyncDisposable {
  /** Absolute path of the directory. */
  readonly directory: string;
  /** Absolute path of a file in it; the name must be a plain file name. */
  path(file: string): string;
  /** Removes the directory; may be called again. */
  dispose(): Promise<void>;
}

const PREFIX = 'job-';

/** Makes the private directory of one job under `root`; its name carries our pid, so that a later start can tell it is stale. */
export async function createWorkspace(root: string, name: string): Promise<Workspace> {
  const label = name.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 32);
  const directory = await onDisk('make a workspace', async () => {
    const prefix = join(root, `${PREFIX}${process.pid}-${await startedAt(process.pid)}-${label}-`);
    const made = await makeFolder(root, prefix).catch(async (error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      // Somebody cleared the root away in between. When it happens again, it cannot be made: it lies where nothing can.
      return await makeFolder(root, prefix).catch((again: unknown) => {
        if (codeOf(again) !== 'ENOENT') throw again;
        throw new Failure('HOST_FAULT', `WORK_DIR ${root} cannot be made; set it to a folder of a disk`, {
          cause: again,
          details: { errno: 'ENOENT' },
        });
      });
    });
    // mkdtemp asks for 0700 and the umask can only take away from it: an owner without access would fail here, not later.
    await chmod(made, 0o700);
    return made;
  });
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  return {
    directory,
    path: (file) => {
      if (basename(file) !== file || file === '..' || file === '.' || file === '') {
        throw new TypeError(`a workspace file needs a plain name, got ${JSON.stringify(file)}`);
      }
      return join(directory, file);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

async function makeFolder(root: string, prefix: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  return await mkdtemp(prefix);
}

/** Removes the workspaces under `root` whose owning process is gone; returns how many. */
export async function removeStaleWorkspaces(root: string): Promise<number> {
  const entries = await readdir(root, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  let removed = 0;
  for (const entry of entries) {
    const match = /^job-(\d+)-(\d+)-/.exec(entry.name);
    if (match === null || !entry.isDirectory()) continue;
    // A pid alone is not an identity: after a reboot, or in a new container, another process has it.
    if ((await startedAt(Number(match[1]))) === match[2]) continue;
    await rm(join(root, entry.name), { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

/** Runs work on files and says of what this host lacks or refuses that it is the host's fault, whatever the work was a part of. */
export async function onDisk<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const sign = error instanceof Error && !(error instanceof Failure) ? signOfNodeError(error) : null;
    if (sign === null || FAILURE_CODES[sign.code].class !== 'system') throw error;
    throw new Failure(sign.code, `could not ${what} in WORK_DIR: ${(error as Error).message}${sign.advice}`, {
      cause: error,
      details: { errno: sign.external },
    });
  }
}

/** When a process started, in clock ticks since boot, as one opaque word; '0' when there is no such process. */
async function startedAt(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (line === null) return '0';
  // The command name may hold spaces and brackets: fields are counted from the last bracket. Start time is field 22.
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
