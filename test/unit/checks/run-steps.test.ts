import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { renderResults, runSteps, type Step } from '../../../scripts/checks/run-steps.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-steps-'));
let pipes = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function namedPipe(): string {
  const path = join(folder, `pipe-${(pipes += 1)}`);
  execFileSync('mkfifo', [path]);
  return path;
}

const shell = (name: string, script: string): Step => ({ name, command: ['sh', '-c', script] });

test('every step is run to its end, whatever becomes of the others, and keeps all that it said', async () => {
  const results = await runSteps([
    shell('good', 'echo words; echo warnings >&2'),
    shell('bad', 'echo why; exit 3'),
    { name: 'absent', command: ['no-such-program-here'] },
  ]);
  expect(results.map(({ name, code }) => [name, code])).toEqual([
    ['good', 0],
    ['bad', 3],
    ['absent', 127],
  ]);
  expect(results[0]?.output.split('\n').toSorted()).toEqual(['', 'warnings', 'words']);
  expect(results[1]?.output).toBe('why\n');
  expect(results[2]?.output).toContain('no-such-program-here');
});

test('steps run at the same time', async () => {
  // Neither end of the pipe opens without the other: one after the other they would never end.
  const pipe = namedPipe();
  const [first, second] = await runSteps([shell('first', `cat ${pipe}`), shell('second', `echo word >${pipe}`)]);
  expect([first?.output, second?.code]).toEqual(['word\n', 0]);
});

test('ending the run ends what a step has started as well', async () => {
  const pipe = namedPipe();
  const ended = new AbortController();
  // The run lasts until nobody holds the output of the step: also not what its shell has left behind.
  const running = runSteps([shell('launcher', `sleep 600 & echo started >${pipe}; wait`)], ended.signal);
  await readFile(pipe);
  ended.abort();
  expect(await running).toEqual([expect.objectContaining({ code: 128 + 15 })]);
});

test('what failed is told last, and a line says how long each step took', () => {
  const text = renderResults([
    { name: 'lint', code: 1, seconds: 2.04, output: 'line 3: no\n' },
    { name: 'types', code: 0, seconds: 1, output: '' },
  ]);
  expect(text).toBe(
    ['--- types', '', '--- lint', 'line 3: no', '', 'ok   types (1.0 s)', 'FAIL lint (2.0 s)', ''].join('\n'),
  );
});
