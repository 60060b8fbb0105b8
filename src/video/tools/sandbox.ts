import { basename } from 'node:path';

/** How bubblewrap is called on this host, as it was seen to work. */
export interface Sandbox {
  /** bubblewrap. */
  readonly program: string;
  /** What of the host is seen in it: options of bubblewrap. */
  readonly view: readonly string[];
  /** In addition for a tool that uses the GPU. */
  readonly gpuView: readonly string[];
  /** Where the kernel lets a sandbox have one, of its own processes: not beneath a /proc of which parts are hidden. */
  readonly hasProc: boolean;
  /** bubblewrap 0.8 and newer. */
  readonly forbidsMore: boolean;
  /** The command that limits the processes and threads in it; empty where there is none. */
  readonly taskLimit: readonly string[];
}

/** What is to be started in a sandbox, by its path outside. */
export interface SandboxedTool {
  readonly program: string;
  readonly args: readonly string[];
  /** The one file that it may read; by the name that it has, in `FILE_FOLDER`, which the tool starts in. Null: none. */
  readonly file: string | null;
  readonly usesGpu: boolean;
}

/** Of coreutils: the first process of a sandbox. */
export const FIRST_PROCESS = '/usr/bin/timeout';

/** Always the same, so that nothing can be concluded from it. A file keeps its name: what ffmpeg takes a file for depends on it. */
const FILE_FOLDER = '/video';

/**
 * The arguments of bubblewrap that start a tool where there is nothing but the tool: no other process, no network, no file of the host but
 * what it is loaded from, and its one video.
 */
export function sandboxArguments(sandbox: Sandbox, tool: SandboxedTool, statusDescriptor: number): readonly string[] {
  const { view, gpuView, hasProc, forbidsMore, taskLimit } = sandbox;
  const { program, args, file, usesGpu } = tool;
  return [
    // By itself, `all` goes without a user namespace where there is none.
    ['--unshare-all', '--unshare-user', ...(forbidsMore ? ['--disable-userns'] : [])],
    // It hands its own environment on, which is the tools' already; the option that clears it is younger than what stable systems still have.
    // No new session: bubblewrap is in one of its own without a terminal, and what would leave its group while it is being built could not be
    // ended with it.
    ['--die-with-parent', '--cap-drop', 'ALL'],
    hasProc ? ['--proc', '/proc'] : ['--dir', '/proc'],
    // Before what is shown, which may lie in one of them.
    ['--dev', '/dev', '--tmpfs', '/tmp'],
    view,
    usesGpu ? gpuView : [],
    file === null ? [] : ['--ro-bind', file, `${FILE_FOLDER}/${basename(file)}`],
    ['--chdir', file === null ? '/' : FILE_FOLDER, '--json-status-fd', String(statusDescriptor)],
    // The folders that were made on the way to what is seen could be written to, and would be gone with the sandbox.
    ['--remount-ro', '/'],
    // bubblewrap's own first process is killed unwaited for, and the CPU time of the tool with it. This one does nothing but wait (no time is
    // set), hands on how the tool ended, and is waited for in its turn: the kernel adds up, and the last of the sandbox is gone with it.
    // The limit of tasks comes before it and not before bubblewrap: it is one of the user namespace, which has to be there.
    ['--as-pid-1', '--', ...taskLimit, FIRST_PROCESS, '--foreground', '0', program, ...args],
  ].flat();
}
