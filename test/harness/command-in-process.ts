import { jest } from '@jest/globals';
import { Command } from 'commander';
import { addCommands } from '../../src/cli/commands/add-commands.ts';
import { explain } from '../../src/cli/explain.ts';
import { bareEnvironment } from './bare-environment.ts';
import type { Ended } from './run-program.ts';

/**
 * Does in this process what `runVideoWorker` does in one of its own, which takes a second of the processor to load. One at a time, since the
 * environment and the standard outputs are the command's meanwhile. What commander itself says of its arguments is not caught.
 */
export async function videoWorkerHere(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((chunk) => {
      text[name] += String(chunk);
      return true;
    }),
  );
  const signals = (['SIGINT', 'SIGTERM'] as const).map((name) => [name, process.listeners(name)] as const);
  const outer = { env: process.env, exitCode: process.exitCode };
  process.env = { ...bareEnvironment(), DEVICE: 'cpu', ...env };
  process.exitCode = undefined;
  try {
    const program = new Command('video-worker').exitOverride();
    addCommands(program);
    const code = await program.parseAsync(args, { from: 'user' }).then(() => Number(process.exitCode ?? 0), explain);
    return { code, ...text };
  } finally {
    process.env = outer.env;
    process.exitCode = outer.exitCode;
    for (const spy of spies) spy.mockRestore();
    // A process of its own would end with its command, and they with it.
    for (const [name, before] of signals) {
      for (const one of process.listeners(name)) if (!before.includes(one)) process.removeListener(name, one);
    }
  }
}
