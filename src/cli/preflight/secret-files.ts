import type { SecretFile } from '../../config/secret-file.ts';
import { type Check, type Finding, ok, OWN_HOST_LIMIT_MS, warn } from './check.ts';

export interface SecretDeps {
  /** Those that the environment names; a worker that starts has read them with its configuration. */
  readonly secretFiles: readonly SecretFile[];
  /** The bits of its mode; rejects where this user cannot read it. */
  readonly modeOf: (path: string) => Promise<number>;
}

/** Read by others, or written by a group or others. */
const FOREIGN_BITS = 0o026;

/** Whether the files with the secrets are for the eyes of the worker: a line where there are any, which hinders nothing. */
export function secretFileChecks({ secretFiles, modeOf }: SecretDeps): readonly Check[] {
  if (secretFiles.length === 0) return [];
  const check: Check = {
    name: 'secrets',
    timeoutMs: OWN_HOST_LIMIT_MS,
    severity: 'warn',
    fix: 'let the user of the worker read the files',
    run: async () => {
      const modes = await Promise.all(secretFiles.map(async ({ path }) => await modeOf(path)));
      return judge(secretFiles.map((file, index) => ({ ...file, mode: modes[index] ?? 0 })));
    },
  };
  return [check];
}

function judge(files: readonly (SecretFile & { readonly mode: number })[]): Finding {
  const open = files.filter(({ mode }) => (mode & FOREIGN_BITS) !== 0);
  if (open.length === 0) return ok(files.map(({ variable, path }) => `${variable}: ${path}`).join(', '));
  const told = open.map(({ variable, path, mode }) => `${path} (${variable}) has mode ${(mode & 0o777).toString(8)}`);
  return warn(
    `${told.join(', ')}: others than the worker can read or change it`,
    `chmod 0400 (0440 for a group) and the worker's user as owner; defaultMode: 0400 of a Kubernetes secret, mode of a Docker one`,
  );
}
