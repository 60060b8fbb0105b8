import { expect, test } from '@jest/globals';
import { allocatorCheck, parseEnvironment } from '../../../src/cli/preflight/allocator.ts';
import { runCheck } from '../../../src/cli/preflight/check.ts';

const NEVER = new AbortController().signal;

function checked(environ: string): Promise<{ readonly status: string; readonly detail: string }> {
  return runCheck(allocatorCheck({ firstEnvironment: async () => parseEnvironment(environ) }), NEVER);
}

test.each([
  ['one arena', 'PATH=/bin\0MALLOC_ARENA_MAX=1\0', 'ok', 'at most 1 arena(s)'],
  ["an operator's own number", 'MALLOC_ARENA_MAX=4\0', 'ok', 'at most 4 arena(s)'],
  ['the way back to the default', 'MALLOC_ARENA_MAX=\0', 'ok', 'arenas as the C library likes'],
  ['a tunable', 'GLIBC_TUNABLES=glibc.malloc.check=3:glibc.malloc.arena_max=2\0', 'ok', 'at most 2 arena(s)'],
  ['another allocator', 'LD_PRELOAD=/usr/lib/libjemalloc.so.2\0', 'ok', 'libjemalloc'],
  ['a start by hand', 'PATH=/bin\0X=MALLOC_ARENA_MAX=1\0', 'warn', 'was not set when this process began'],
])('%s is told', async (_what, environ, status, detail) => {
  expect(await checked(environ)).toMatchObject({ status, detail: expect.stringContaining(detail) });
});

test('a system that does not tell the variables of a process hinders nothing', async () => {
  const firstEnvironment = (): Promise<never> => Promise.reject(new Error('no /proc'));
  expect(await runCheck(allocatorCheck({ firstEnvironment }), NEVER)).toMatchObject({ status: 'skipped' });
});
