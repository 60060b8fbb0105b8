import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, realpath } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import type { PGlite } from '@electric-sql/pglite';
import { loadOptional } from '../../failure/absent-package.ts';
import { openFreshDatabase } from './fresh-database.ts';
import {
  CANCEL_REQUEST,
  fatalError,
  FrontendMessageReader,
  GSS_REQUEST,
  SSL_REQUEST,
  startupAnswer,
  transactionStatus,
  type FrontendMessage,
} from './wire-messages.ts';

/**
 * V8 compiles the wrapper of an imported function anew after 1,000 calls, and frees the old one from a cache that all
 * threads share. Seen on Node 24.21: "Check failed: jit_page_->allocations_.erase(addr) == 1" out of
 * Runtime_TierUpWasmToJSWrapper ends the process. Wrappers that keep their first form cost 20 ns per call. Prisma's query
 * compiler is WebAssembly, too: this holds wherever a database may be opened, with PGlite or without.
 */
setFlagsFromString('--wasm-wrapper-tiering-budget=2147483647');

const PGLITE = {
  name: '@electric-sql/pglite',
  purpose: 'the embedded PostgreSQL (pglite:...) of the demo and the tests',
  instead: 'set DATABASE_URL to a postgres:// URL',
};

export interface EmbeddedPostgres {
  /** `postgres://` URL for any driver; several processes may use it at once. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts an embedded PostgreSQL (PGlite) that speaks the wire protocol on 127.0.0.1. `dataDir` is a folder, or
 * 'memory'; port 0 takes a free one. `keptIn` is a folder for the files with which a database in memory begins, which makes all
 * but the first start faster. There is no password and no encryption: for this machine and for tests.
 *
 * PGlite has one session. It is lent to one connection at a time, from the first message of a query up to its Sync,
 * and until the end of the transaction where one is open: two connections never mix their unnamed statements, and
 * a transaction is alone. So SET, session-level advisory locks and named statements are shared by all connections;
 * use their transaction-level forms. Queries cannot be cancelled.
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  port = 0,
  keptIn: string | null = null,
): Promise<EmbeddedPostgres> {
  const { PGlite: pglite } = await loadOptional(PGLITE, () => import('@electric-sql/pglite'));
  const inMemory = dataDir === 'memory';
  if (!inMemory) await mkdir(dataDir, { recursive: true });
  const owner = inMemory ? null : await lockFolder(await realpath(dataDir));
  try {
    if (inMemory && keptIn !== null) return await serveOn(await openFreshDatabase(pglite, keptIn), port, owner);
    return await serveOn(await pglite.create(inMemory ? 'memory://' : dataDir), port, owner);
  } catch (error) {
    owner?.close();
    throw error;
  }
}

/**
 * Two PGlites on one folder destroy it. The lock is an abstract socket, which the kernel takes back with the process:
 * a file with a process id would outlive a crash, and process ids come again.
 */
async function lockFolder(folder: string): Promise<Server | null> {
  if (process.platform !== 'linux') return null;
  const lock = createServer((socket) => socket.destroy());
  lock.listen(`\0embedded-postgres-${createHash('sha256').update(folder).digest('hex')}`);
  try {
    await once(lock, 'listening');
  } catch (error) {
    throw new Error(`the folder ${folder} is in use by another embedded PostgreSQL`, { cause: error });
  }
  return lock.unref();
}

async function serveOn(db: PGlite, port: number, owner: Server | null): Promise<EmbeddedPostgres> {
  try {
    await db.exec(`SET timezone TO 'UTC'`);
    const { rows } = await db.query<{ server_version: string }>('SHOW server_version');
    const session = new SharedSession(db);
    const sockets = new Set<Socket>();
    let connectionId = 0;
    const server = createServer((socket) => {
      connectionId += 1;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      serve(socket, session, startupAnswer(rows[0]?.server_version ?? '17.0', connectionId));
    });
    const actual = await listen(server, port);
    return {
      url: `postgres://postgres@127.0.0.1:${actual}/postgres`,
      port: actual,
      close: async () => {
        const closed = once(server, 'close');
        server.close();
        for (const socket of sockets) socket.destroy();
        await closed;
        await session.idle();
        await db.close();
        owner?.close();
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the embedded PostgreSQL has no port');
  return address.port;
}

/** The one session of PGlite with a first-come queue of those who wait for it. */
class SharedSession {
  readonly #db: PGlite;
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  constructor(db: PGlite) {
    this.#db = db;
  }

  async take(): Promise<void> {
    if (!this.#taken) {
      this.#taken = true;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    await turn.promise;
  }

  /** Hands the session straight to the next in line, so that nobody can slip in between. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken = false;
    else next();
  }

  async send(message: Buffer): Promise<Uint8Array> {
    return await this.#db.execProtocolRaw(message);
  }

  async rollback(): Promise<void> {
    if (this.#db.isInTransaction()) await this.#db.exec('ROLLBACK');
  }

  async idle(): Promise<void> {
    await this.take();
    this.give();
  }
}

/** Reads a connection's messages one after the other; the session is given back when the server says that it is idle. */
function serve(socket: Socket, session: SharedSession, welcome: Buffer): void {
  const reader = new FrontendMessageReader();
  let holding = false;
  let work: Promise<void> = Promise.resolve();

  const handle = async (message: FrontendMessage): Promise<void> => {
    if (socket.destroyed) return;
    if (message.code === SSL_REQUEST || message.code === GSS_REQUEST) socket.write('N');
    else if (message.code === CANCEL_REQUEST || message.type === 'X') socket.end();
    else if (message.type === null) socket.write(welcome);
    else {
      if (!holding) {
        await session.take();
        holding = true;
      }
      const answer = await session.send(message.bytes);
      if (!socket.destroyed) socket.write(answer);
      if (transactionStatus(answer) === 'I') {
        holding = false;
        session.give();
      }
    }
  };
  const leave = async (): Promise<void> => {
    if (!holding) return;
    holding = false;
    try {
      await session.rollback();
    } finally {
      session.give();
    }
  };
  const fail = (error: unknown): void => {
    if (!socket.destroyed) socket.end(fatalError('XX000', error instanceof Error ? error.message : String(error)));
  };

  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of reader.push(chunk)) work = work.then(() => handle(message)).catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  // A reset by the client is an ordinary end; 'close' follows and does the work.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    work = work.then(leave).catch(() => undefined);
  });
}
