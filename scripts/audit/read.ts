import { readFileSync } from 'node:fs';
import type { Packages } from './findings.ts';
import type { Installed, Lock, Project } from './lockfile.ts';

/** The packages of the project in `root`, an URL with a slash at its end. Throws when the two files cannot be read. */
export function readPackages(root: URL): Packages {
  const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'));
  return {
    project: read('package.json') as Project,
    lock: read('package-lock.json') as Lock,
    installed: (folder) => {
      try {
        return read(`${folder}/package.json`) as Installed;
      } catch (error) {
        // Those of other platforms, and development packages on a host, are not installed.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
  };
}
