import type { FailureCode } from '../codes.ts';

/** Numbers of Linux that libuv has no name for. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [61, 'ENODATA'],
  [74, 'EBADMSG'],
  [116, 'ESTALE'],
  [117, 'EUCLEAN'],
  [122, 'EDQUOT'],
  [123, 'ENOMEDIUM'],
  [124, 'EMEDIUMTYPE'],
]);

const MOUNT = '; check the disk and its mount (`dmesg`, `findmnt`)';
const RIGHTS = '; check owner, mode and mount of the folder, and what the unit may write';
const PATH = '; check that WORK_DIR is a folder and that nothing else stands in its way';
const DESCRIPTORS = '; raise LimitNOFILE (`ulimit -n`) or lower CONCURRENCY';
const TASKS = '; raise the limit of processes and threads (TasksMax, `ulimit -u`)';

/** What is wrong with this host when work on files ends with it, and what an operator can do. */
const OF_FILES: ReadonlyMap<string, readonly [FailureCode, string]> = new Map([
  ['ENOSPC', ['DISK_FULL', '; free space or inodes, or set WORK_DIR to a larger disk']],
  ['EDQUOT', ['DISK_FULL', '; raise the quota, or set WORK_DIR to another disk']],
  ['ENOMEM', ['HOST_OUT_OF_MEMORY', '; lower CONCURRENCY or give the host more memory']],
  ['EROFS', ['HOST_FAULT', '; the file system is mounted read-only, which a disk error does too']],
  ['EACCES', ['HOST_FAULT', RIGHTS]],
  ['EPERM', ['HOST_FAULT', RIGHTS]],
  ['EIO', ['HOST_FAULT', MOUNT]],
  ['EREMOTEIO', ['HOST_FAULT', MOUNT]],
  ['EBADMSG', ['HOST_FAULT', MOUNT]],
  ['ENODATA', ['HOST_FAULT', MOUNT]],
  ['ENODEV', ['HOST_FAULT', MOUNT]],
  ['ENXIO', ['HOST_FAULT', MOUNT]],
  ['ENOMEDIUM', ['HOST_FAULT', MOUNT]],
  ['EMEDIUMTYPE', ['HOST_FAULT', MOUNT]],
  ['ESTALE', ['HOST_FAULT', MOUNT]],
  ['EUCLEAN', ['HOST_FAULT', MOUNT]],
  ['ENOTCONN', ['HOST_FAULT', MOUNT]],
  ['EHOSTDOWN', ['HOST_FAULT', MOUNT]],
  ['EBADF', ['HOST_FAULT', MOUNT]],
  ['EBUSY', ['HOST_FAULT', MOUNT]],
  ['ENOTSUP', ['HOST_FAULT', MOUNT]],
  ['EOVERFLOW', ['HOST_FAULT', MOUNT]],
  ['EFBIG', ['HOST_FAULT', '; the file system or the unit (LimitFSIZE) allows no file of this size']],
  ['EMFILE', ['HOST_FAULT', DESCRIPTORS]],
  ['ENFILE', ['HOST_FAULT', DESCRIPTORS]],
  ['EAGAIN', ['HOST_FAULT', TASKS]],
  ['ENOTDIR', ['HOST_FAULT', PATH]],
  ['EISDIR', ['HOST_FAULT', PATH]],
  ['ELOOP', ['HOST_FAULT', PATH]],
  ['EEXIST', ['HOST_FAULT', PATH]],
  ['ENAMETOOLONG', ['HOST_FAULT', PATH]],
]);

/** What an errno means when work on files, or the start of a program, ended with it; null for one that says nothing of the host. */
export function meaningOfFileCode(code: string): FailureCode | null {
  return OF_FILES.get(code)?.[0] ?? null;
}

/** What an operator can do about it, to stand behind the reason; empty where nothing is known. */
export function adviceForErrno(code: string): string {
  if (code === 'ENOENT') return '; keep cleaners of temporary files away from WORK_DIR';
  return OF_FILES.get(code)?.[1] ?? '';
}

/** The name of an error of the system: libuv has none for some numbers and says so in the place of it. */
export function errnoOf(error: object): string {
  const { code, errno } = error as { readonly code?: unknown; readonly errno?: unknown };
  const name = typeof code === 'string' ? code : '';
  if (name !== '' && !name.startsWith('Unknown system error')) return name;
  return (typeof errno === 'number' ? NAMES.get(Math.abs(errno)) : undefined) ?? name;
}
