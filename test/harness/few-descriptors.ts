import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const DESCRIPTORS = 64;

/** What is opened again and again while fewer descriptors are free than it needs. */
export interface Opening {
  /** The source of what comes before, in a module. */
  readonly setUp: string;
  /** The source of an async function that opens and closes, and returns what came of it. */
  readonly open: string;
  /** It is tried with none free, and with each number below this one. */
  readonly mostFree: number;
}

/**
 * All that came of it, each outcome once and in order, in a process of its own that runs the file written at the path. One that leaves a
 * descriptor open is told among them.
 */
export async function outcomesWithFewDescriptors(path: string, { setUp, open, mostFree }: Opening): Promise<unknown> {
  await writeFile(
    path,
    `import { closeSync, openSync, readdirSync } from 'node:fs';
    ${setUp}
    const open = ${open};
    const outcomes = [await open()];
    let before = 0;
    for (let round = 0; round < 2; round++) {
      for (let free = 0; free < ${mostFree}; free++) {
        const held = [];
        try { for (;;) held.push(openSync('/dev/null')); } catch {}
        for (let i = 0; i < free; i++) closeSync(held.pop());
        outcomes.push(await open());
        for (const one of held) closeSync(one);
      }
      const now = readdirSync('/proc/self/fd').length;
      // libuv keeps one in reserve from the first time on that none is left.
      if (round === 1 && now !== before) outcomes.push(before + ' became ' + now);
      before = now;
    }
    console.log(JSON.stringify([...new Set(outcomes)].sort()));`,
  );
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', path].map((word) => JSON.stringify(word));
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `ulimit -n ${DESCRIPTORS}; exec ${node.join(' ')}`]);
  return JSON.parse(stdout);
}
