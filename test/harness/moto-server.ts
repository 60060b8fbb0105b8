import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { owned } from './ownership.ts';

const READY_MS = 30_000;

/** Where moto's server (PyPI: `moto[server]`) is: in a folder of PATH. Null: it is not installed. */
export async function findMotoServer(path: string): Promise<string | null> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, 'moto_server');
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return null;
}

export interface MotoServer extends AsyncDisposable {
  readonly endpoint: string;
}

/** Starts moto's server on a free port; resolves when it answers, and rejects with nothing left when it does not in time. */
export async function startMotoServer(file: string, readyMs = READY_MS): Promise<MotoServer> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(file, ['--host', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' });
  // Settles also where it cannot be started.
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const close = owned(`moto's server at ${endpoint}`, async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const signal = AbortSignal.timeout(readyMs);
  try {
    while (!(await answers(endpoint))) {
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`${file} ended with ${end} before it answered`);
      signal.throwIfAborted();
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { endpoint, [Symbol.asyncDispose]: close };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await (await fetch(`${endpoint}/moto-api/`, { signal: AbortSignal.timeout(1_000) })).text();
    return true;
  } catch {
    // Refused: gives the process a turn instead of asking as fast as it can.
    await new Promise((resolve) => setTimeout(resolve, 50));
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
