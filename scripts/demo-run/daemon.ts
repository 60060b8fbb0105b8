import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';

export interface Daemon {
  /** Rejects when the daemon ends before it was told to. */
  readonly died: Promise<never>;
  /** Drains it with SIGTERM; answers with its exit code. */
  stop(): Promise<number | null>;
}

/** Starts the real daemon as a process of its own; what it says goes to the log file. */
export function startDaemon(root: string, env: Readonly<Record<string, string>>, logFile: string): Daemon {
  const log = openSync(logFile, 'a');
  const child = spawn(join(root, 'scripts/start-worker'), [], {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let stopping = false;
  const died = exit.then(([code, signal]): never => {
    if (stopping) throw new Error('the daemon was stopped');
    throw new Error(
      `the daemon ended by itself (exit code ${code ?? signal ?? 'unknown'}); its words are in ${logFile}`,
    );
  });
  // Who does not wait for it must not be struck by it.
  died.catch(() => {});
  return {
    died,
    async stop() {
      stopping = true;
      if (child.exitCode === null) child.kill('SIGTERM');
      const [code] = await exit;
      return code;
    },
  };
}
