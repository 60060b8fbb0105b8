import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { owned } from './ownership.ts';
import { layFreshData } from './postgres-template.ts';

export interface TestPostgres extends AsyncDisposable {
  /** URL of the database `worker`; a schema per test keeps tests apart. */
  readonly url: string;
  readonly port: number;
  /** Ends the server as a crash would and starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Settings of the server beside those of every test server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Files that lie in its data folder, only for its own eyes: a certificate and its key. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Starts a real PostgreSQL server from the system's binaries, with its data in a temporary folder. */
export async function startPostgres(given: PostgresOptions = {}): Promise<TestPostgres> {
  const binaries = findBinaries();
  const user = unprivilegedUser();
  const directory = mkdtempSync(join(tmpdir(), 'worker-postgres-'));
  if (user !== null) chownSync(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  await layFreshData(binaries, identity, data);
  for (const [name, content] of Object.entries(given.files ?? {})) {
    const file = join(data, name);
    writeFileSync(file, content, { mode: 0o600 });
    if (user !== null) chownSync(file, user.uid, user.gid);
  }
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: directory,
    // A zone other than UTC shows whoever forgets that the driver reads timestamps as UTC.
    timezone: 'Asia/Seoul',
    max_connections: '60',
    fsync: 'off',
    shared_buffers: '32MB',
    ...given.settings,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const start = async (): Promise<ChildProcess> => {
    const server = spawn(join(binaries, 'postgres'), ['-D', data, ...options], {
      ...identity,
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    const ready = Promise.withResolvers<void>();
    server.stderr.setEncoding('utf8');
    server.stderr.on('data', (text: string) => {
      log += text;
      if (log.includes('database system is ready to accept connections')) ready.resolve();
    });
    server.once('error', ready.reject);
    server.once('exit', (code) => ready.reject(new Error(`postgres ended with ${code}: ${log}`)));
    await ready.promise;
    return server;
  };
  let server = await start();
  // SIGQUIT: no checkpoint, connections cut, as in a crash; recovery runs at the next start.
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGQUIT');
    await ended;
  };
  const stop = owned(`the PostgreSQL server at port ${port}`, async () => {
    await kill();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    url: `postgres://worker@127.0.0.1:${port}/worker`,
    port,
    restart: async () => {
      await kill();
      server = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Debian keeps the server's binaries out of PATH, in a folder per major version. */
function findBinaries(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
  if (found === undefined) {
    throw new Error('no PostgreSQL server binaries: apt-get install postgresql (scripts/setup does)');
  }
  return found;
}

/** PostgreSQL and its pooler refuse to run as root; the package's own user is there wherever the binaries are. */
export function unprivilegedUser(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  );
  const user = users.get('postgres') ?? users.get('nobody');
  if (user !== undefined) return user;
  throw new Error('no unprivileged user to run PostgreSQL as');
}

/** A port of this machine that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
