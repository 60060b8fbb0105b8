import { bareEnvironment } from './bare-environment.ts';
import { runProgram, type Ended } from './run-program.ts';

/** Runs the operator's command `video-worker` as a process, on the CPU, with no other variables than PATH and those given. */
export async function runVideoWorker(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs = 170_000,
): Promise<Ended> {
  const command = ['--disable-warning=ExperimentalWarning', 'src/cli/video-worker.ts', ...args];
  return await runProgram(process.execPath, command, {
    env: { ...bareEnvironment(), DEVICE: 'cpu', ...env },
    timeoutMs,
  });
}
