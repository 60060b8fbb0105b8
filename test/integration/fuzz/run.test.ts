import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Fault } from '../../fuzz/engine/judge.ts';
import { supervise } from '../../fuzz/engine/supervise.ts';
import { bareEnvironment } from '../../harness/bare-environment.ts';
import { owned } from '../../harness/ownership.ts';
import { runProgram, type Ended } from '../../harness/run-program.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const RUN = resolve(import.meta.dirname, '../../fuzz/run.ts');
const planted = (name: string): string => resolve(import.meta.dirname, 'planted', `${name}.ts`);

async function command(...args: readonly string[]): Promise<Ended> {
  return await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', RUN, ...args], {
    timeoutMs: 120_000,
  });
}

/** A run that gets Ctrl-C once it has said these words: what comes after them shows nothing more. */
async function interrupted(
  args: readonly string[],
  words: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', RUN, ...args], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const end = owned('the fuzz run', async () => {
    child.kill('SIGKILL');
    await closed;
  });
  let [stdout, stderr, isAsked] = ['', '', false];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    if (isAsked || !stdout.includes(words)) return;
    // A second one would end it at once.
    isAsked = child.kill('SIGINT');
  });
  const [code] = (await closed) as [number];
  await end();
  return { code, stdout, stderr };
}

describe('a fuzz run', () => {
  test('finds what lies behind steps that only coverage shows, makes it short, and repeats it', async () => {
    await using folder = await temporaryFolder('fuzz');
    const args = ['--target', planted('needle'), '--minutes', '2', '--seed', '7', '--out', folder.path];
    const found = await interrupted(args, 'npm run fuzz -- --repeat');
    expect(found).toMatchObject({ code: 1, stderr: '' });
    expect(found.stdout).toMatch(/BrokenInvariant: the needle[\s\S]*npm run fuzz -- --repeat[\s\S]*\n1 found\n$/);
    const finds = folder.at('finds', 'needle.ts');
    const [file = ''] = (await readdir(finds)).filter((name) => !name.endsWith('.txt'));
    expect(await readFile(join(finds, file), 'utf8')).toBe('fuzzaaaaaa');
    expect(await readFile(join(finds, `${file}.txt`), 'utf8')).toContain('the needle');
    const again = await command('--repeat', join(finds, file), '--target', planted('needle'));
    expect([again.code, again.stdout]).toEqual([1, expect.stringContaining('the needle')]);
  });

  test('ends what never ends, and tells the input', async () => {
    await using folder = await temporaryFolder('fuzz');
    const stopping = new AbortController();
    const finds: { readonly input: Buffer; readonly fault: Fault }[] = [];
    await supervise({
      target: planted('endless'),
      folder: folder.path,
      maxBytes: 64,
      seed: 7,
      seconds: 60,
      signal: stopping.signal,
      hangMs: 2_000,
      onFind: (input, fault) => {
        finds.push({ input, fault });
        stopping.abort();
      },
    });
    expect(finds).toMatchObject([{ fault: { kind: 'hang', text: 'no end within 2 s' } }]);
    expect(finds[0]?.input.includes(0)).toBe(true);
  });

  test('finds nothing in what is sound, and ends at Ctrl-C with its figures', async () => {
    await using folder = await temporaryFolder('fuzz');
    const args = ['--target', 's3-url,zones', '--minutes', '60', '--out', folder.path];
    const { code, stdout: text } = await interrupted(args, '2 targets');
    expect(code).toBe(0);
    expect(text).toMatch(
      /\ns3-url: \d+ inputs, \d+ a second; blocks of code \d+ by the seeds, \d+ now; corpus \d+\nnothing found\n$/,
    );
  });

  test.each([
    [['--minutes', 'soon'], '--minutes takes a number above 0, found soon'],
    [['--target', 'nothing'], 'there is no target nothing; there are'],
  ])('%j is refused', async (args, reason) => {
    const { code, stderr } = await command(...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(reason)]);
  });
});
