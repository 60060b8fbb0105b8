import { appendFileSync } from 'node:fs';
import { subscribe } from 'node:diagnostics_channel';
import type { ChildProcess } from 'node:child_process';

/** Loaded with `--import` into a process of the worker: notes the program of each process that it starts, a line each. */
const file = process.env['COUNT_CHILDREN_FILE'];
if (file !== undefined) {
  subscribe('child_process', (message) => {
    const { process: child } = message as { readonly process: ChildProcess };
    // The program is known only after the call that made the object.
    queueMicrotask(() => {
      // A tool that limits another one is told with it.
      const tool = child.spawnargs.find((argument) => /(?:^|\/)ff(?:mpeg|probe)$/.test(argument));
      appendFileSync(file, `${[child.spawnfile, tool].filter((part) => part !== undefined).join(' ')}\n`);
    });
  });
}
