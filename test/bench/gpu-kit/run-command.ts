import { execFile } from 'node:child_process';

export interface CommandOptions {
  readonly limitMs: number;
  /** Ends the command before its limit. */
  readonly signal?: AbortSignal;
  readonly cwd?: string;
}

const QUOTED = 2_000;

/**
 * Runs a program without a shell and gives its standard output. Throws with the command, how it ended and the end of what it
 * wrote: when it fails, cannot be started, is not done within the limit or the signal is aborted.
 */
export async function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const { limitMs, cwd } = options;
  const limit = AbortSignal.timeout(limitMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...args],
      { signal, maxBuffer: 1 << 28, ...(cwd === undefined ? {} : { cwd }) },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout);
          return;
        }
        const how = limit.aborted
          ? `was not done within ${limitMs / 1000} s`
          : signal.aborted
            ? 'was broken off'
            : `ended with ${error.code ?? error.signal ?? error.message}`;
        const words = (stderr.trim() === '' ? stdout : stderr).trim().slice(-QUOTED);
        reject(
          new Error(`${[program, ...args].join(' ')} ${how}${words === '' ? '' : `: ${words}`}`, { cause: error }),
        );
      },
    );
  });
}
