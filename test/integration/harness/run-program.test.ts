import { expect, test } from '@jest/globals';
import { untilGone } from '../../harness/processes.ts';
import { runProgram } from '../../harness/run-program.ts';

test('a program answers with its code and its words', async () => {
  expect(await runProgram('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('at the limit a program is killed', async () => {
  expect(await runProgram('sleep', ['600'], { timeoutMs: 100 })).toMatchObject({ code: -1 });
});

test('at the limit what a program has left is killed too, where it holds the output of one that has ended', async () => {
  const { code, stdout } = await runProgram('sh', ['-c', 'sleep 600 & echo $!; exit 0'], { timeoutMs: 2_000 });
  expect(code).toBe(0);
  await untilGone(Number(stdout));
}, 20_000);

test('a program that is not there rejects', async () => {
  await expect(runProgram('./no-such-program', [], { timeoutMs: 5_000 })).rejects.toThrow('ENOENT');
});
