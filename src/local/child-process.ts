import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Child<Ready> {
  /** What the child said when it was ready. */
  readonly ready: Ready;
  readonly pid: number;
  /** Stops the child and resolves when it is gone. */
  close(): Promise<void>;
}

export type ChildAnswer<Ready> = { readonly ready: Ready } | { readonly error: string };

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/**
 * Starts one of this folder's entry files as a process of its own, sends it `options` and waits until it is ready.
 *
 * The child ends when its channel to this process closes, however this process ends: nothing is left behind after a
 * SIGKILL. It is in a process group of its own, because Ctrl-C in a terminal reaches the whole group and would take the
 * queue away from a worker that is still draining.
 */
export async function startChild<Ready>(entry: string, options: object): Promise<Child<Ready>> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const child = fork(fileURLToPath(new URL(`./${entry}.${extension}`, import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // They need nothing of ours, and credentials may be in it. The folder for temporary files also tells whose process it is.
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', TMPDIR: tmpdir() },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    detached: true,
  });
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = `${lastWords}${text}`.slice(-2000);
  });
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(kill);
  };
  try {
    const answered = once(child, 'message', { signal: AbortSignal.timeout(START_TIMEOUT_MS) }) as Promise<
      [ChildAnswer<Ready>]
    >;
    child.send(options);
    const [answer] = await Promise.race([
      answered,
      exited.then(() => [{ error: `it ended at once: ${lastWords}` }] as [ChildAnswer<Ready>]),
    ]);
    if ('error' in answer) throw new Error(`${entry}: ${answer.error}`);
    return { ready: answer.ready, pid: child.pid ?? 0, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What an entry file serves; `options` and `ready` are the two messages between the processes. */
export type StartServer<Options, Ready> = (
  options: Options,
) => Promise<{ readonly ready: Ready; stop(): Promise<void> }>;

/** The child's side: starts what the parent's first message asks for and ends with the parent. */
export function serveParent(start: StartServer<never, unknown>): void {
  let stop: (() => Promise<void>) | null = null;
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    void (stop?.() ?? Promise.resolve()).finally(() => process.exit(0));
  });
  process.once('message', (options: unknown) => {
    start(options as never).then(
      (server) => {
        stop = () => server.stop();
        process.send?.({ ready: server.ready });
      },
      (error: unknown) => {
        process.send?.({ error: error instanceof Error ? error.message : String(error) });
      },
    );
  });
}
