import { execFile } from 'node:child_process';
import { fstatSync, write } from 'node:fs';

export interface SystemdEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  /** Set by the launcher: the descriptor of a socket that is connected to systemd already. */
  readonly NOTIFY_FD?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/** The way to systemd: every call is one datagram of lines `NAME=value`. Rejects when it could not be sent. */
export type NotifyChannel = (lines: readonly string[]) => Promise<void>;

const TIMEOUT_MS = 5_000;
/** systemd's queue of datagrams is short; it is read within milliseconds, unless all of the host stands still. */
const FULL_PAUSES_MS = [20, 80, 320, 1_000] as const;

/**
 * The socket that the launcher has opened, since Node has none of this kind: then this process speaks itself, as the unit's
 * NotifyAccess=main asks for, and a word costs a system call. Without it a child speaks, which systemd hears with NotifyAccess=all only.
 * Null where nothing listens.
 */
export function openNotifyChannel(env: SystemdEnvironment, program = 'systemd-notify'): NotifyChannel | null {
  const fd = Number(env.NOTIFY_FD ?? Number.NaN);
  if (Number.isSafeInteger(fd) && fd > 2 && isSocket(fd)) return (lines) => send(fd, lines.join('\n'));
  const socket = env.NOTIFY_SOCKET;
  return socket === undefined || socket === '' ? null : (lines) => sendByChild(program, socket, lines);
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

async function send(fd: number, text: string): Promise<void> {
  for (const pauseMs of FULL_PAUSES_MS) {
    const error = await writeOnce(fd, text);
    if (error === null) return;
    if (error.code !== 'EAGAIN') throw error;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`systemd has not taken a word for ${FULL_PAUSES_MS.reduce((sum, ms) => sum + ms, 0)} ms`);
}

/** The socket does not block: a thread that waits for systemd would hold up the end of the process. */
function writeOnce(fd: number, text: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    write(fd, text, (error) => resolve(error));
  });
}

function sendByChild(program: string, socket: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      // The main process is this one; without the id, systemd-notify could name its own short-lived parent.
      [`--pid=${process.pid}`, ...lines],
      { timeout: TIMEOUT_MS, env: { NOTIFY_SOCKET: socket, PATH: '/usr/local/bin:/usr/bin:/bin' } },
      (error) => {
        if (error === null) resolve();
        else reject(error);
      },
    );
  });
}
