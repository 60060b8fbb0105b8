import { glob, readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

/** The programs that tests may start, by who provides them: what is not here is not on a machine that was just made. */
const PROVIDED: Readonly<Record<string, readonly string[]>> = {
  "the machine, as the README's first line asks": ['git', 'npm'],
  'Debian in its smallest form': ['bash', 'ldconfig', 'mkfifo', 'sh', 'sleep', 'tar', 'test'],
  'scripts/setup': ['ffmpeg', 'ffprobe'],
  'scripts/setup --tests': ['gcc', 'nm', 'python3'],
  'the driver of a host with a GPU, for its benches alone': ['nvidia-smi'],
};
const START =
  /\b(?:exec|execFile|execFileSync|execSync|fork|runCommand|runProgram|spawn|spawnSync)\)?\(\s*'([^'/ ]+)'/g;

test('tests start no program that set-up does not install; facts about processes come from the harness', async () => {
  const allowed = new Set(Object.values(PROVIDED).flat());
  const started = new Map<string, string>();
  for await (const file of glob('test/**/*.ts')) {
    for (const [, program = ''] of (await readFile(file, 'utf8')).matchAll(START)) started.set(program, file);
  }
  // The pattern finds what is there.
  expect([...started.keys()]).toEqual(expect.arrayContaining(['bash', 'ffmpeg', 'tar']));
  const others = [...started].filter(([program]) => !allowed.has(program)).map((pair) => pair.join(' in '));
  expect(others).toEqual([]);
});
