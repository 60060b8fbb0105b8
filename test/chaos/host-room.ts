import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rename, rm, stat, statfs, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import type { FolderTrouble, HostFault, ToolTrouble } from './fault-plan.ts';

const run = promisify(execFile);

/** Of a work folder's own disk, which takes up memory only for what is on it: what a worker asks for at its start. */
const DISK_SIZE = '4g';
/** What a small disk has beside what is on it: more than any video, so that a full one is full and not too small for ever. */
const SMALL_ROOM_BYTES = 48 * 2 ** 20;
const RESIZE_ATTEMPTS = 20;
/** Below the descriptors that a worker has open: it gets no more. */
const FEW_DESCRIPTORS = 16;

const BROKEN_TOOLS: Readonly<Record<Exclude<ToolTrouble, 'missing'>, string>> = {
  killed: 'kill -9 $$',
  'exit-127':
    'echo "error while loading shared libraries: libavcodec.so.60: cannot open shared object file" >&2; exit 127',
};

/** What one worker has of the host for itself, so that it can be broken for that worker alone: its tools and its work folder. */
export class HostRoom {
  readonly workDir: string;
  readonly #disk: string;
  readonly #tools: Readonly<Record<'ffmpeg' | 'ffprobe', { readonly path: string; readonly real: string }>>;
  readonly #hasDisk: boolean;

  private constructor(directory: string, real: Readonly<Record<'ffmpeg' | 'ffprobe', string>>, hasDisk: boolean) {
    this.#disk = join(directory, 'disk');
    this.workDir = join(this.#disk, 'work');
    const tool = (name: 'ffmpeg' | 'ffprobe') => ({ path: join(directory, name), real: real[name] });
    this.#tools = { ffmpeg: tool('ffmpeg'), ffprobe: tool('ffprobe') };
    this.#hasDisk = hasDisk;
  }

  /** `canMount`: the work folder gets a small disk of its own. */
  static async make(directory: string, canMount: boolean): Promise<HostRoom> {
    const room = new HostRoom(directory, await locateFfmpeg({ ffmpegPath: null, ffprobePath: null }), canMount);
    await mkdir(room.#disk, { recursive: true });
    if (canMount) await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_SIZE}`, 'chaos', room.#disk]);
    await mkdir(room.workDir, { mode: 0o700 });
    for (const { path, real } of Object.values(room.#tools)) await symlink(real, path);
    return room;
  }

  get env(): Readonly<Record<string, string>> {
    const { ffmpeg, ffprobe } = this.#tools;
    return { WORK_DIR: this.workDir, FFMPEG_PATH: ffmpeg.path, FFPROBE_PATH: ffprobe.path, DECODER_SANDBOX: 'off' };
  }

  /** Why a fault cannot be done on this machine; null where it can. */
  cannot(fault: HostFault): string | null {
    if (fault.kind !== 'work-folder' || fault.trouble === 'no-folder' || this.#hasDisk) return null;
    return `a ${fault.trouble} work folder: this machine does not let us mount`;
  }

  /** `pid`: of the worker's process now; null where it has none. Answers with what mends it. */
  async break(fault: HostFault, pid: number | null): Promise<() => Promise<void>> {
    switch (fault.kind) {
      case 'tool':
        return await this.#breakTool(fault.tool, fault.trouble);
      case 'work-folder':
        return await this.#breakFolder(fault.trouble);
      case 'descriptors':
        return pid === null ? async () => {} : await takeDescriptors(pid);
    }
  }

  async close(): Promise<void> {
    if (this.#hasDisk) await run('umount', ['-l', this.#disk]);
  }

  async #breakTool(name: 'ffmpeg' | 'ffprobe', trouble: ToolTrouble): Promise<() => Promise<void>> {
    const { path, real } = this.#tools[name];
    const other = `${path}.other`;
    if (trouble === 'missing') await unlink(path);
    else {
      await writeFile(other, `#!/bin/sh\n${BROKEN_TOOLS[trouble]}\n`);
      await chmod(other, 0o755);
      await rename(other, path);
    }
    return async () => {
      await symlink(real, other);
      await rename(other, path);
    };
  }

  async #breakFolder(trouble: FolderTrouble): Promise<() => Promise<void>> {
    const { workDir } = this;
    switch (trouble) {
      case 'no-folder': {
        const aside = join(this.#disk, 'aside');
        await rename(workDir, aside);
        await writeFile(workDir, 'no folder');
        return async () => {
          await rm(workDir, { recursive: true });
          await rename(aside, workDir);
        };
      }
      case 'read-only':
        // Over itself: files that are open for writing would keep the disk from becoming read-only.
        await run('mount', ['--bind', workDir, workDir]);
        await run('mount', ['-o', 'remount,bind,ro', workDir]);
        return async () => {
          await run('umount', ['-l', workDir]);
        };
      case 'full': {
        const filler = join(this.#disk, 'filler');
        await this.#shrink();
        await writeFile(filler, Buffer.alloc(SMALL_ROOM_BYTES)).catch((error: unknown) => {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        });
        return async () => {
          await rm(filler);
          await run('mount', ['-o', `remount,size=${DISK_SIZE}`, this.#disk]);
        };
      }
    }
  }

  /** To what is on the disk now; a job that writes meanwhile makes it too small, and it is tried again. */
  async #shrink(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { blocks, bfree, bsize } = await statfs(this.#disk);
      const size = (blocks - bfree) * bsize + SMALL_ROOM_BYTES;
      try {
        await run('mount', ['-o', `remount,size=${size}`, this.#disk]);
        return;
      } catch (error) {
        if (attempt === RESIZE_ATTEMPTS) throw error;
      }
    }
  }
}

async function takeDescriptors(pid: number): Promise<() => Promise<void>> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  const usual = /^Max open files +(\d+)/m.exec(limits)?.[1];
  if (usual === undefined) return async () => {};
  const limit = async (descriptors: number | string): Promise<void> => {
    try {
      await run('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:`]);
    } catch (error) {
      // It may have ended meanwhile.
      if (await stat(`/proc/${pid}`).catch(() => null)) throw error;
    }
  };
  await limit(FEW_DESCRIPTORS);
  return async () => await limit(usual);
}
