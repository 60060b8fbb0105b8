import { once, type EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../../failure/failure.ts';
import { adviceForErrno, errnoOf, meaningOfFileCode } from '../../failure/sources/errno.ts';
import { afterRunning } from '../../time/after-running.ts';
import { systemClock } from '../../time/clock.ts';

/** The end that is read, wherever that is done: it emits `connect`, `error` and `close` as a socket does. */
export interface NearEnd extends EventEmitter {
  /** Closes it; nothing more is read, and `close` follows. */
  destroy(): unknown;
}

/** The two ends of one connection. */
export interface SocketPair {
  readonly near: NearEnd;
  /** For a child to write to. */
  readonly far: Socket;
}

/** A matter of milliseconds, also on a machine that has much to do. */
const LIMIT_MS = 30_000;
/** In the address of a socket; what is longer, some systems cut off in silence. */
const MOST_PATH_BYTES = 107;
/** How the name of the folder begins in which two sockets meet, and the socket in it. */
export const MEETING_FOLDER = 'vw-frames-';
export const MEETING_SOCKET = '/s';

/**
 * A pair of connected Unix sockets, as `socketpair` makes them: unlike a pipe of `spawn`, one is read into memory of our own. They meet in
 * a folder that only this user enters, the first of those given in which one can be made, and nothing of it is left. Rejects with the
 * reason of the signal, or with the failure of the host; both ends are closed then.
 */
export async function openSocketPair(
  connectTo: (path: string) => NearEnd,
  signal: AbortSignal,
  folders: readonly string[] = [tmpdir()],
): Promise<SocketPair> {
  signal.throwIfAborted();
  const folder = await privateFolder(folders);
  try {
    return await meetAt(folder + MEETING_SOCKET, connectTo, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function meetAt(path: string, connectTo: (path: string) => NearEnd, signal: AbortSignal): Promise<SocketPair> {
  const limit = new AbortController();
  const timer = afterRunning(systemClock, LIMIT_MS, () => {
    limit.abort(new Failure('HOST_FAULT', `two sockets did not meet within ${LIMIT_MS} ms`));
  });
  const ends: { destroy(): unknown }[] = [];
  const server = createServer({ pauseOnConnect: true }, (far) => ends.push(far)).on('error', () => {});
  const waiting = { signal: AbortSignal.any([signal, limit.signal]) };
  try {
    server.listen(path);
    await once(server, 'listening', waiting);
    const near = connectTo(path);
    ends.push(near);
    // What breaks the connection later ends the reading, and that is seen.
    near.on('error', () => {});
    // Without a descriptor for the other end the kernel's connection is closed again, and nobody is told why.
    near.once('close', () => {
      limit.abort(new Failure('HOST_FAULT', `a socket was closed as soon as it was open${adviceForErrno('EMFILE')}`));
    });
    const [[far]] = await Promise.all([
      once(server, 'connection', waiting) as Promise<[Socket]>,
      once(near, 'connect', waiting),
    ]);
    return { near, far };
  } catch (error) {
    for (const end of ends) end.destroy();
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    limit.signal.throwIfAborted();
    throw pairFailure(dirname(path), error);
  } finally {
    timer.cancel();
    server.close();
  }
}

/** Only this user can enter it, so nobody else can be the one who connects. */
async function privateFolder(folders: readonly string[]): Promise<string> {
  let refused: { readonly at: string; readonly error: unknown } | null = null;
  for (const folder of folders) {
    const prefix = join(folder, MEETING_FOLDER);
    // `mkdtemp` adds six letters.
    if (Buffer.byteLength(`${prefix}123456${MEETING_SOCKET}`) > MOST_PATH_BYTES) continue;
    try {
      return await mkdtemp(prefix);
    } catch (error) {
      refused ??= { at: folder, error };
    }
  }
  if (refused !== null) throw pairFailure(refused.at, refused.error);
  throw new Failure(
    'HOST_FAULT',
    `the path of a socket has at most ${MOST_PATH_BYTES} bytes, and those in ${folders.join(' and ')} are longer; ` +
      'set TMPDIR to a folder with a short path',
  );
}

function pairFailure(path: string, error: unknown): Failure {
  const errno = error instanceof Error ? errnoOf(error) : '';
  const said = error instanceof Error ? error.message : String(error);
  const advice = adviceForErrno(errno);
  return new Failure(
    meaningOfFileCode(errno) ?? 'HOST_FAULT',
    `no socket can be made in ${path}, the folder that TMPDIR names or the one of the video (${said})${advice}`,
    { cause: error, details: { errno } },
  );
}
