import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';

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

/** Starts moto's server on a free port; resolves when it answers. */
export async function startMotoServer(file: string): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(file, ['--host', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const signal = AbortSignal.timeout(READY_MS);
  while (!(await answers(endpoint))) {
    if (child.exitCode !== null) throw new Error(`${file} ended with status ${child.exitCode} before it answered`);
    signal.throwIfAborted();
  }
  return {
    endpoint,
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
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
