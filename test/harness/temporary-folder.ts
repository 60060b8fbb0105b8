import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { owned } from './ownership.ts';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of something in it. */
  at(...names: readonly string[]): string;
  remove(): Promise<void>;
}

/** A folder for temporary files, which goes when it is disposed of. */
export async function temporaryFolder(purpose: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `${purpose}-`));
  const remove = owned(`the folder ${path}`, () => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return { path, at: (...names) => join(path, ...names), remove, [Symbol.asyncDispose]: remove };
}
