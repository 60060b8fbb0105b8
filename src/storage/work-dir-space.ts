import { open, stat, statfs } from 'node:fs/promises';
import { Failure } from '../failure/failure.ts';
import { onDisk } from './on-disk.ts';
import type { Workspaces } from './workspace.ts';

export interface FileSystemFacts {
  /** For this user. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Asks a file system by a folder of it. */
export type MeasureFileSystem = (folder: string) => Promise<FileSystemFacts>;

interface Claim {
  readonly file: string;
  readonly bytes: number;
}

/** A job that needs more may be alone with its trouble: this much shows that others can write. */
const TRIAL_BYTES = 1024 * 1024;
const TRIAL_CHUNK = Buffer.alloc(64 * 1024, 1);
const MIB = 1024 ** 2;

/** The room in the file system of WORK_DIR, shared out among the jobs of one worker. */
export class WorkDirSpace {
  readonly #folder: Workspaces;
  readonly #measure: MeasureFileSystem;
  readonly #claims = new Set<Claim>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: Workspaces, measure: MeasureFileSystem = measureFileSystem) {
    this.#folder = folder;
    this.#measure = measure;
  }

  /**
   * Keeps room for a file that is about to be written, until the answer is disposed of. Throws WORK_DIR_SPACE where there is none, what
   * others have claimed and not written yet counted in: two files that fit one by one are not both begun.
   */
  async claim(file: string, bytes: number): Promise<Disposable> {
    // One after the other: between the look and the claim nobody else may look.
    const claimed = this.#last.then(() => this.#claim({ file, bytes }));
    this.#last = claimed.catch(() => undefined);
    const claim = await claimed;
    return { [Symbol.dispose]: () => void this.#claims.delete(claim) };
  }

  /** Whether something can be written in the folder, whatever its file system says of itself: quotas and inodes run out unseen. */
  async canWrite(): Promise<boolean> {
    try {
      await using workspace = await this.#folder.workspace('trial');
      await onDisk('try the disk', () => writeTrial(workspace.path('trial')));
      return true;
    } catch (error) {
      if (error instanceof Failure && error.code === 'DISK_FULL') return false;
      throw error;
    }
  }

  async #claim(claim: Claim): Promise<Claim> {
    const { freeBytes, totalBytes } = await onDisk('measure the free space', () => this.#measure(this.#folder.root));
    const open = await Promise.all([...this.#claims].map(unwritten));
    const promisedBytes = open.reduce((sum, bytes) => sum + bytes, 0);
    if (freeBytes - promisedBytes < claim.bytes) {
      throw new Failure('WORK_DIR_SPACE', reasonFor(claim.bytes, { freeBytes, promisedBytes, totalBytes }), {
        details: { neededBytes: claim.bytes, freeBytes, promisedBytes, totalBytes },
      });
    }
    this.#claims.add(claim);
    return claim;
  }
}

function reasonFor(neededBytes: number, room: FileSystemFacts & { readonly promisedBytes: number }): string {
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;
  if (neededBytes > room.totalBytes) {
    return `the object needs ${mib(neededBytes)} and the whole file system of WORK_DIR has ${mib(room.totalBytes)}: it can never fit; set WORK_DIR to a larger disk or lower MAX_OBJECT_BYTES`;
  }
  return `the object needs ${mib(neededBytes)}, WORK_DIR has ${mib(room.freeBytes)} free and other jobs have still to write ${mib(room.promisedBytes)} of it`;
}

async function unwritten({ file, bytes }: Claim): Promise<number> {
  const written = await stat(file).then(
    ({ size }) => size,
    () => 0,
  );
  return Math.max(0, bytes - written);
}

async function writeTrial(path: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  for (let written = 0; written < TRIAL_BYTES; written += TRIAL_CHUNK.length) await file.writeFile(TRIAL_CHUNK);
  // Some file systems find out only now.
  await file.sync();
}

export async function measureFileSystem(root: string): Promise<FileSystemFacts> {
  const { bavail, blocks, bsize } = await statfs(root);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
