import type { Dirent } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** A private directory of one job: mode 0700, removed in every outcome. */
export interface Workspace extends AsyncDisposable {
  /** Absolute path of the directory. */
  readonly directory: string;
  /** Absolute path of a file in it; the name must be a plain file name. */
  path(file: string): string;
  /** Removes the directory; may be called again. */
  dispose(): Promise<void>;
}

/** Where workspaces are made. */
export interface Workspaces {
  /** WORK_DIR, on whose file system they are. */
  readonly root: string;
  /** Makes the private directory of one job; `name` is for whoever looks at it. Rejects with a Failure of the host. */
  workspace(name: string): Promise<Workspace>;
}

const NAME = /^job-[A-Za-z0-9]{0,32}-[A-Za-z0-9]{6}$/;

/** Whether an entry of a folder of workspaces can be one. */
export function isWorkspace(entry: Dirent): boolean {
  return entry.isDirectory() && NAME.test(entry.name);
}

/** Makes a workspace in a folder in which nobody else can put another in its place. Rejects with the error of the system. */
export async function workspaceIn(folder: string, name: string, prefix = 'job-'): Promise<Workspace> {
  const label = name.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 32);
  const directory = await mkdtemp(join(folder, `${prefix}${label}-`));
  // mkdtemp asks for 0700 and the umask can only take away from it: an owner without access would fail here, not later.
  await chmod(directory, 0o700);
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
