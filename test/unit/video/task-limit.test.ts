import { expect, test } from '@jest/globals';
import { MOST_TASKS, taskLimit } from '../../../src/video/tools/task-limit.ts';

const limits = (hard: string) => async (): Promise<string> => {
  await Promise.resolve();
  return `Limit                     Soft Limit           Hard Limit           Units\nMax processes             1000                 ${hard}                processes\n`;
};

test.each([
  ['5.14.0-427.el9.x86_64', '127234'],
  ['6.1.0-28-amd64', '512'],
  ['7.0', 'unlimited'],
])('kernel %s limits the tasks of a sandbox, beneath a limit of %s', async (kernel, hard) => {
  expect(await taskLimit(kernel, limits(hard))).toEqual([
    expect.stringMatching(/\/prlimit$/),
    `--nproc=${MOST_TASKS}:${MOST_TASKS}`,
    '--',
  ]);
});

test.each([
  ['that counts all of a user together', '5.10.0-33-amd64', '127234'],
  ['that counts all of a user together', '4.18.0-553.el8', 'unlimited'],
  ['whose version cannot be read', 'unknown', 'unlimited'],
  ['beneath a lower limit, which may not be raised', '6.1.0', '511'],
])('a kernel %s has none (%s, %s)', async (_what, kernel, hard) => {
  expect(await taskLimit(kernel, limits(hard))).toEqual([]);
});

test('a host that does not tell its limits has none', async () => {
  expect(await taskLimit('6.1.0', () => Promise.reject(new Error('no /proc')))).toEqual([]);
});
