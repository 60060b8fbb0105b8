import { execFile } from 'node:child_process';
import { bareEnvironment } from './bare-environment.ts';

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the operator's command `video-worker` as a process, on the CPU, with no other variables than PATH and those given. */
export async function runVideoWorker(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs = 60_000,
): Promise<Answer> {
  return await new Promise((done) => {
    execFile(
      'node_modules/.bin/node',
      ['--disable-warning=ExperimentalWarning', 'src/cli/video-worker.ts', ...args],
      { env: { ...bareEnvironment(), DEVICE: 'cpu', ...env }, maxBuffer: 1 << 26, timeout: timeoutMs },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}
