import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { keepFind, loadTarget, LOCAL_FOLDER, repeatCommand, targetNames, targetOfFile } from './engine/corpus.ts';
import { judge } from './engine/judge.ts';
import { supervise } from './engine/supervise.ts';

const USAGE = `npm run fuzz -- [--minutes N] [--target NAME[,NAME]] [--seed S] [--out FOLDER]
npm run fuzz -- --repeat FILE [--target NAME]

Looks for inputs that break what reads text and bytes from outside, and shares the minutes (default 5) among the targets.
A target may also be the path of a file. Exit code 1: something was found; each find is a file of FOLDER (default
.local/fuzz) that --repeat runs again. Ctrl-C ends it with what was found.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    out: { type: 'string', default: LOCAL_FOLDER },
    repeat: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else if (values.repeat !== undefined) process.exitCode = await repeat(values.repeat, values.target);
else process.exitCode = await fuzz(values.target?.split(',') ?? targetNames(), number('minutes'), number('seed'));

/** Runs one file; 1 where it still shows a fault. */
async function repeat(file: string, name = targetOfFile(file)): Promise<number> {
  const fault = judge(await loadTarget(name), readFileSync(file));
  console.log(fault === null ? `${name}: all is as it must be` : `${name}: ${fault.text}`);
  return fault === null ? 0 : 1;
}

async function fuzz(names: readonly string[], minutes: number, seed: number): Promise<number> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const seconds = (minutes * 60) / names.length;
  console.log(`seed ${seed}, ${names.length} targets, ${seconds.toFixed(0)} s each`);
  let finds = 0;
  for (const name of names) {
    if (stopping.signal.aborted) break;
    const { maxBytes } = await loadTarget(name);
    const { signal } = stopping;
    const onFind: Parameters<typeof supervise>[0]['onFind'] = (input, fault) => {
      finds += 1;
      const path = keepFind(values.out, name, input, fault.text);
      console.log(`${name}: ${fault.text}\n  ${repeatCommand(path, name)}`);
    };
    const told = await supervise({ target: name, folder: values.out, maxBytes, seed, seconds, signal, onFind });
    const rate = Math.round(told.runs / Math.max(told.seconds, 0.001));
    console.log(
      `${name}: ${told.runs} inputs, ${rate} a second; blocks of code ${told.seedBlocks} by the seeds, ` +
        `${told.blocks} now; corpus ${told.corpus}`,
    );
  }
  console.log(finds === 0 ? 'nothing found' : `${finds} found`);
  return finds === 0 ? 0 : 1;
}

function number(name: 'minutes' | 'seed'): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} takes a number above 0, found ${values[name]}`);
}
