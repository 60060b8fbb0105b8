import { expect, test } from '@jest/globals';
import { runCheck } from '../../../src/cli/preflight/check.ts';
import { secretFileChecks } from '../../../src/cli/preflight/secret-files.ts';

const NEVER = new AbortController().signal;
const FILES = [
  { variable: 'DATABASE_URL_FILE', path: '/run/database-url' },
  { variable: 'HEALTH_TOKEN_FILE', path: '/run/token' },
];

function checked(modes: Readonly<Record<string, number>>) {
  const [check] = secretFileChecks({ secretFiles: FILES, modeOf: async (path) => modes[path] ?? 0o100400 });
  return runCheck(check!, NEVER);
}

test('files for the worker alone, or its group, are right', async () => {
  expect(await checked({ '/run/token': 0o100440 })).toMatchObject({
    status: 'ok',
    detail: 'DATABASE_URL_FILE: /run/database-url, HEALTH_TOKEN_FILE: /run/token',
  });
});

test.each([0o100404, 0o100644, 0o100602, 0o100460])(
  'a file that others can read or change is named (%o)',
  async (mode) => {
    const found = await checked({ '/run/token': mode });
    expect(found.status).toBe('warn');
    expect(found.detail).toMatch(/^\/run\/token \(HEALTH_TOKEN_FILE\) has mode \d{3}: /);
    expect(found.fix).toContain('chmod 0400');
  },
);

test('without such files there is no line', () => {
  expect(secretFileChecks({ secretFiles: [], modeOf: () => Promise.reject(new Error('not asked')) })).toEqual([]);
});
