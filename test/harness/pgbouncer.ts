import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { owned } from './ownership.ts';
import { freePort, unprivilegedUser, type TestPostgres } from './postgres.ts';

export interface PgBouncer extends AsyncDisposable {
  /** URL of the server's database, through the pooler. */
  readonly url: string;
}

const READY_MS = 30_000;

/** Where PgBouncer is; Debian keeps it out of a user's PATH. Null: it is not installed. */
export function findPgBouncer(path: string): string | null {
  const folders = ['/usr/sbin', ...path.split(delimiter)];
  for (const folder of folders) {
    const file = join(folder, 'pgbouncer');
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this one.
    }
  }
  return null;
}

/** Starts PgBouncer in front of a server, with its defaults but for where it listens, whom it lets in, and the mode if one is given. */
export async function startPgBouncer(
  file: string,
  server: TestPostgres,
  settings: Readonly<Record<string, string>> = {},
): Promise<PgBouncer> {
  const user = unprivilegedUser();
  const folder = mkdtempSync(join(tmpdir(), 'worker-pgbouncer-'));
  const port = await freePort();
  const ini = join(folder, 'pgbouncer.ini');
  const own = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    ...settings,
  };
  const lines = Object.entries(own).map(([name, value]) => `${name} = ${value}`);
  const database = `worker = host=127.0.0.1 port=${server.port} dbname=worker user=worker`;
  writeFileSync(ini, ['[databases]', database, '[pgbouncer]', ...lines, ''].join('\n'));
  if (user !== null) for (const path of [folder, ini]) chownSync(path, user.uid, user.gid);
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  const child = spawn(file, [ini], { ...identity, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const stop = owned(`PgBouncer at port ${port}`, async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const signal = AbortSignal.timeout(READY_MS);
  while (!(await listens(port))) {
    if (child.exitCode !== null || signal.aborted) {
      await stop();
      throw new Error(`PgBouncer did not start: ${log}`);
    }
  }
  return { url: `postgres://worker@127.0.0.1:${port}/worker`, [Symbol.asyncDispose]: stop };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
